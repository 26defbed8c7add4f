import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeServerMessage } from '../connection/describe-server-message.ts'
import { ShellError } from '../errors.ts'
import type { PrintOptions } from '../printing/print-options.ts'
import { sendQuery } from '../running/send-query.ts'
import type { Shell } from '../state/shell.ts'
import type { Command, CommandContext, Outcome } from './command.ts'
import { setPrintOption } from './pset.ts'
import { watch } from './watch.ts'

/** The commands of the query that has not ended, and of the last one. */
export const queries: readonly Command[] = [
  {
    names: ['g'],
    usage: '[(OPTIONS)] [FILE]',
    summary: 'send the query, and its results to a file or |command',
    run: async ({ shell, reader }) => await sent(shell, reader, {}),
  },
  {
    names: ['gx'],
    usage: '[(OPTIONS)] [FILE]',
    summary: 'the same with a line for each value',
    run: async ({ shell, reader }) => await sent(shell, reader, { expanded: 'on' }),
  },
  {
    names: ['gset'],
    usage: '[PREFIX]',
    summary: 'send the query, and set variables to the values of its row',
    async run({ shell, reader }) {
      const prefix = (await reader.word()) ?? ''
      return {
        send: {
          take: async ({ fields, rows }) => {
            const [row, second] = rows
            if (row === undefined) shell.complainOf(String.raw`no rows returned for \gset`)
            else if (second !== undefined)
              shell.complainOf(String.raw`more than one row returned for \gset`)
            if (row === undefined || second !== undefined) return false
            for (const [column, { name }] of fields.entries()) {
              const value = row[column]
              if (value == null) shell.variables.unset(prefix + name)
              else shell.variables.set(prefix + name, value)
            }
            return await Promise.resolve(true)
          },
        },
      }
    },
  },
  {
    names: ['gexec'],
    summary: 'send the query, and then each value that it gives as a query',
    run: async (context) => await executed(context),
  },
  watch,
  {
    names: ['p', 'print'],
    summary: 'print the query so far, or the last one',
    async run({ shell, run }) {
      const query = run?.scanner.query || shell.lastQuery
      if (query !== '') await shell.stdout.write(`${query}\n`)
      else if (!shell.isQuiet) await shell.stdout.write('Query buffer is empty.\n')
      return undefined
    },
  },
  {
    names: ['r', 'reset'],
    summary: 'throw away the query so far',
    async run({ shell, run }) {
      if (run !== null) run.scanner.query = ''
      shell.lastQuery = ''
      if (!shell.isQuiet) await shell.stdout.write('Query buffer reset (cleared).\n')
      return undefined
    },
  },
  {
    names: ['e', 'edit'],
    usage: '[FILE]',
    summary: 'edit the query so far, the last one, or a file',
    run: async (context) => await edited(context),
  },
  {
    names: ['errverbose'],
    summary: 'print the last error with all that the server has said of it',
    async run({ shell }) {
      const { lastFailure } = shell
      if (lastFailure === null) await shell.stdout.write('There is no previous error.\n')
      else
        shell.complain(
          describeServerMessage(lastFailure.message, lastFailure.statement, {
            verbosity: 'verbose',
            context: 'always',
          }),
        )
      return undefined
    },
  },
]

async function sent(
  shell: Shell,
  reader: CommandContext['reader'],
  print: Partial<PrintOptions>,
): Promise<Outcome> {
  let target = await reader.word({ pipe: true })
  const chosen = { ...shell.print, ...print }
  if (target?.startsWith('(') === true) {
    const parts: string[] = []
    for (let part: string | null = target; part !== null; part = await reader.word()) {
      parts.push(part)
      if (part.endsWith(')')) break
    }
    const whole = parts.join(' ')
    if (!whole.endsWith(')')) throw new ShellError(String.raw`\g: missing right parenthesis`)
    for (const part of whole.slice(1, -1).split(/\s+/).filter(Boolean)) {
      const [name = '', ...value] = part.split('=')
      setPrintOption(chosen, name, value.length === 0 ? null : value.join('='))
    }
    target = await reader.word({ pipe: true })
  }
  return { send: { target: target ?? undefined, print: chosen } }
}

async function executed({ shell }: CommandContext): Promise<Outcome> {
  const found: string[] = []
  const run = async (): Promise<boolean> => {
    let succeeded = true
    for (const query of found) {
      if (['all', 'queries'].includes(shell.variables.get('ECHO') ?? ''))
        await shell.stdout.write(`${query}\n`)
      succeeded = (await sendQuery(shell, query, { isOwn: true })) && succeeded
      if (!succeeded && shell.stopsAtErrors) return false
    }
    return succeeded
  }
  return await Promise.resolve({
    send: {
      take: async ({ rows }) => {
        found.push(...rows.flatMap((row) => row.filter((value) => value !== null)))
        return await Promise.resolve(true)
      },
      afterwards: run,
    },
  })
}

/** Opens an editor on a text, which then takes the place of the query. */
async function edited({ shell, reader, run }: CommandContext): Promise<Outcome> {
  if (run === null) throw new ShellError(String.raw`\edit: there is nothing to edit in a -c`)
  const { env } = shell
  const editor = env['PSQL_EDITOR'] ?? env['EDITOR'] ?? env['VISUAL'] ?? 'vi'
  const name = await reader.word()
  const directory = name === null ? await mkdtemp(join(tmpdir(), 'howdah-edit-')) : null
  const path = directory === null ? shell.fullPath(name ?? '') : join(directory, 'query.sql')
  try {
    const before = run.scanner.query || shell.lastQuery
    if (directory !== null) await writeFile(path, `${before}\n`, { mode: 0o600 })
    const status = await shell.runCommand(
      `exec ${editor} '${path.replaceAll("'", String.raw`'\''`)}'`,
    )
    if (status !== 0) throw new ShellError(`the editor ${editor} ended with status ${status}`)
    const text = await readFile(path, 'utf8')
    run.scanner.query = ''
    run.scanner.add(text)
    return undefined
  } finally {
    if (directory !== null) await rm(directory, { recursive: true, force: true })
  }
}
