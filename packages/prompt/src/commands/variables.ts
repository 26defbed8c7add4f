import { ShellError } from '../errors.ts'
import type { Command } from './command.ts'

/** The commands of variables, and those that print text. */
export const variables: readonly Command[] = [
  {
    names: ['set'],
    usage: '[NAME [VALUE]]',
    summary: 'set a variable, which queries use as :NAME, or list all',
    async run({ shell, reader }) {
      const [name, ...values] = await reader.words()
      if (name === undefined) {
        const lines = [...shell.variables].map(([one, value]) => `${one} = '${value}'\n`)
        await shell.stdout.write(lines.join(''))
      } else shell.variables.set(name, values.join(''))
      return undefined
    },
  },
  {
    names: ['unset'],
    usage: 'NAME',
    summary: 'remove a variable',
    async run({ shell, reader }) {
      const name = await reader.word()
      if (name === null) throw new ShellError(String.raw`\unset: missing required argument`)
      shell.variables.unset(name)
      return undefined
    },
  },
  {
    names: ['getenv'],
    usage: 'NAME VARIABLE',
    summary: 'set a variable to the value of an environment variable',
    async run({ shell, reader }) {
      const [name, variable] = [await reader.word(), await reader.word()]
      if (name === null || variable === null)
        throw new ShellError(String.raw`\getenv: missing required argument`)
      const value = shell.env[variable]
      if (value !== undefined) shell.variables.set(name, value)
      return undefined
    },
  },
  {
    names: ['setenv'],
    usage: 'NAME [VALUE]',
    summary: 'set or remove an environment variable of the programs that are started here',
    async run({ shell, reader }) {
      const [name, value] = [await reader.word(), await reader.word()]
      if (name === null) throw new ShellError(String.raw`\setenv: missing required argument`)
      if (name.includes('='))
        throw new ShellError(String.raw`\setenv: environment variable name must not contain "="`)
      if (value === null) delete shell.env[name]
      else shell.env[name] = value
      return undefined
    },
  },
  {
    names: ['if'],
    usage: 'EXPRESSION',
    summary: 'run what follows if the expression is true; also \\elif, \\else and \\endif',
    run: async () => await outsideOfScript('if'),
  },
  { names: ['elif'], run: async () => await outsideOfScript('elif') },
  { names: ['else'], run: async () => await outsideOfScript('else') },
  { names: ['endif'], run: async () => await outsideOfScript('endif') },
  {
    names: ['echo'],
    usage: '[-n] [TEXT]',
    summary: 'print text; -n without a line end',
    async run({ shell, reader }) {
      await shell.stdout.write(textOf(await reader.words()))
      return undefined
    },
  },
  {
    names: ['qecho'],
    usage: '[-n] [TEXT]',
    summary: 'print text where results go, as \\o says',
    async run({ shell, reader }) {
      await shell.out.write(textOf(await reader.words()))
      return undefined
    },
  },
  {
    names: ['warn'],
    usage: '[TEXT]',
    summary: 'print text to standard error',
    async run({ shell, reader }) {
      shell.host.complain(textOf(await reader.words()).replace(/\n$/, ''))
      return undefined
    },
  },
]

function textOf(words: readonly string[]): string {
  const [first, ...others] = words
  return first === '-n' ? others.join(' ') : `${words.join(' ')}\n`
}

async function outsideOfScript(name: string): Promise<never> {
  return await Promise.reject(
    new ShellError(`\\${name} works in scripts and at the prompt, and not in -c`),
  )
}
