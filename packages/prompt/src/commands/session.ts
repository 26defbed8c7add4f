import { ShellError } from '../errors.ts'
import { booleanOf } from '../state/boolean.ts'
import type { Command } from './command.ts'

/** The commands of the connection and of the shell as a whole. */
export const session: readonly Command[] = [
  {
    names: ['q', 'quit'],
    summary: 'leave, as does Ctrl-D',
    run: async () => await Promise.resolve('quit'),
  },
  {
    names: ['c', 'connect'],
    usage: '[DB [USER]]',
    summary: 'connect to another database, or again',
    async run({ shell, reader }) {
      const words = await reader.words({ semicolon: true, identifier: true })
      const given = words.filter((word) => !word.startsWith('-reuse-previous='))
      const [database, user, ...more] = given.map((word) => (word === '-' ? undefined : word))
      if (more.some((word) => word !== undefined))
        throw new ShellError(
          String.raw`\connect: only a database and a user can be chosen, because the server stays the same`,
        )
      const { connection } = shell
      const to = {
        database:
          databaseIn(database) ?? connection?.database ?? shell.variables.get('DBNAME') ?? '',
        user: user ?? (connection === null ? undefined : connection.facts.user),
      }
      try {
        await shell.connect(to)
      } catch (error) {
        const kept = shell.isInteractive && connection !== null ? '\nPrevious connection kept' : ''
        throw new ShellError(
          String.raw`\connect: ` + `database "${to.database}": ${(error as Error).message}${kept}`,
          { cause: error },
        )
      }
      if (shell.isQuiet) return undefined
      const { facts } = shell.connection ?? { facts: { user: '' } }
      await shell.stdout.write(
        `You are now connected to database "${to.database}" as user "${facts.user}".\n`,
      )
      return undefined
    },
  },
  {
    names: ['conninfo'],
    summary: 'say what this is connected to',
    async run({ shell }) {
      const { connection } = shell
      if (connection === null) {
        await shell.stdout.write('You are currently not connected to a database.\n')
        return undefined
      }
      const { host, port } = connection.place
      const where = host.startsWith('/') ? `via socket in "${host}"` : `on host "${host}"`
      await shell.stdout.write(
        `You are connected to database "${connection.database}" as user "${connection.facts.user}" ${where} at port "${port}".\n`,
      )
      return undefined
    },
  },
  {
    names: ['encoding'],
    usage: '[UTF8]',
    summary: 'print the encoding of all text, which is always UTF8',
    async run({ shell, reader }) {
      const name = await reader.word({ semicolon: true })
      if (name === null) await shell.stdout.write('UTF8\n')
      else if (!/^(?:utf-?8|unicode)$/i.test(name))
        throw new ShellError(
          String.raw`\encoding: ` + `${name} is not supported here, where all text is UTF8`,
        )
      return undefined
    },
  },
  {
    names: ['timing'],
    usage: '[on|off]',
    summary: 'print how long queries take',
    async run({ shell, reader }) {
      const word = await reader.word()
      const wanted = word === null ? !shell.timing : booleanOf(word)
      if (wanted === null)
        throw new ShellError(`unrecognized value "${word ?? ''}" for "\\timing": Boolean expected`)
      shell.timing = wanted
      if (!shell.isQuiet) await shell.stdout.write(`Timing is ${wanted ? 'on' : 'off'}.\n`)
      return undefined
    },
  },
  {
    names: ['restrict'],
    usage: 'KEY',
    summary: 'forbid commands until \\unrestrict KEY, as dumps do',
    async run({ shell, reader }) {
      const key = await reader.word()
      if (key === null) throw new ShellError(String.raw`\restrict: missing required argument`)
      shell.restriction = key
      return undefined
    },
  },
  {
    names: ['unrestrict'],
    async run({ shell, reader }) {
      const key = await reader.word()
      if (key === null) throw new ShellError(String.raw`\unrestrict: missing required argument`)
      if (shell.restriction === null)
        throw new ShellError(String.raw`\unrestrict: not currently in restricted mode`)
      if (key !== shell.restriction) throw new ShellError(String.raw`\unrestrict: wrong key`)
      shell.restriction = null
      return undefined
    },
  },
]

/** The name in a connection string, as pg_dump writes it for unusual names; otherwise the word itself. */
function databaseIn(word: string | undefined): string | undefined {
  const inString = word === undefined ? null : /^dbname='((?:[^'\\]|\\.)*)'$/s.exec(word)
  return inString === null ? word : inString[1]?.replaceAll(/\\(.)/gs, '$1')
}
