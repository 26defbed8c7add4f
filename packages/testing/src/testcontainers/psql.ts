import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { Client, type ClientConfig, type CustomTypesConfig, type QueryArrayResult } from 'pg'

/** The output and the status of a command. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** The supported options of psql: what to run, how to print it, and options without an effect here. */
const options = {
  command: { type: 'string', short: 'c', multiple: true },
  file: { type: 'string', short: 'f', multiple: true },
  dbname: { type: 'string', short: 'd' },
  username: { type: 'string', short: 'U' },
  host: { type: 'string', short: 'h' },
  port: { type: 'string', short: 'p' },
  set: { type: 'string', short: 'v', multiple: true },
  'tuples-only': { type: 'boolean', short: 't' },
  'no-align': { type: 'boolean', short: 'A' },
  quiet: { type: 'boolean', short: 'q' },
  'no-psqlrc': { type: 'boolean', short: 'X' },
  'no-password': { type: 'boolean', short: 'w' },
  'single-transaction': { type: 'boolean', short: '1' },
} as const

/**
 * A substitute for the usual calls of `psql`, if there is no psql: runs SQL of `-c` and files of `-f`, and prints the rows.
 * The host and port are always those of the server. Unknown options are refused with status 127.
 */
export async function psql(config: ClientConfig, args: readonly string[]): Promise<Printed> {
  let asked
  try {
    asked = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return refuse((error as Error).message)
  }
  const { values, positionals } = asked
  const { command = [], file = [], dbname = config.database, username = config.user } = values
  const [database = dbname, user = username] = positionals
  if (command.length + file.length === 0) return refuse('it has neither -c nor -f')
  const client = new Client({ ...config, database, user })
  let stdout = ''
  let stderr = ''
  client.on('notice', ({ severity, message }) => {
    stderr += `${severity}:  ${message}\n`
  })
  try {
    await client.connect()
    if (values['single-transaction'] === true) await client.query('BEGIN')
    for (const sql of [...command, ...(await Promise.all(file.map(readText)))]) {
      const answer: unknown = await client.query({ text: sql, rowMode: 'array', types })
      for (const result of [answer].flat() as QueryArrayResult[]) stdout += print(result, values)
    }
    if (values['single-transaction'] === true) await client.query('COMMIT')
    return { stdout: stdout.replace(/\n$/, ''), stderr: stderr.trimEnd(), exitCode: 0 }
  } catch (error) {
    const { severity = 'psql: error', message } = error as Error & { severity?: string }
    return {
      stdout: stdout.replace(/\n$/, ''),
      stderr: `${stderr}${severity}:  ${message}`,
      exitCode: severity === 'psql: error' ? 2 : 1,
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Values in the text form of the server. */
const types = { getTypeParser: () => (text: unknown) => text } as CustomTypesConfig

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8')
}

function refuse(why: string): Printed {
  const cure = 'install the postgresql-client of your system'
  return {
    stdout: '',
    stderr: `psql: there is none here, and what stands for it cannot do this: ${why}; ${cure}`,
    exitCode: 127,
  }
}

/** Prints a result as psql does, aligned by default. For a statement without rows only the first word of its tag is known. */
function print(
  { command, rowCount, fields, rows }: QueryArrayResult<(string | null)[]>,
  how: Format,
): string {
  const bare = how['tuples-only'] === true
  if (fields.length === 0) {
    if (how.quiet === true || bare) return ''
    const count = command === 'INSERT' ? ` 0 ${rowCount}` : rowCount === null ? '' : ` ${rowCount}`
    return `${command}${count}\n`
  }
  const names = fields.map(({ name }) => name)
  const cells = rows.map((row) => row.map((cell) => cell ?? ''))
  const footer = bare ? [] : [`(${cells.length} ${cells.length === 1 ? 'row' : 'rows'})`]
  const shown = bare ? cells : [names, ...cells]
  if (how['no-align'] === true)
    return [...shown.map((row) => row.join('|')), ...footer].map((line) => `${line}\n`).join('')
  // The names count for the widths even if they are not shown.
  const widths = names.map((_, at) =>
    Math.max(...[names, ...cells].map((row) => row[at]?.length ?? 0)),
  )
  const head = bare
    ? []
    : [
        names.map((name, at) => ` ${centred(name, widths[at] ?? 0)} `).join('|'),
        widths.map((width) => '-'.repeat(width + 2)).join('+'),
      ]
  const lines = cells.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0
        if (numbers.has(fields[at]?.dataTypeID ?? 0)) return ` ${cell.padStart(width)}`
        return ` ${at === row.length - 1 ? cell : cell.padEnd(width)}`
      })
      .join(' |'),
  )
  return [...head, ...lines, ...footer, ''].map((line) => `${line}\n`).join('')
}

interface Format {
  readonly 'tuples-only'?: boolean
  readonly 'no-align'?: boolean
  readonly quiet?: boolean
}

/** The types that psql aligns to the right, by their OIDs: int2, int4, int8, oid, xid, cid, float4, float8, money, numeric. */
const numbers = new Set([21, 23, 20, 26, 28, 29, 700, 701, 790, 1700])

function centred(text: string, width: number): string {
  return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width)
}
