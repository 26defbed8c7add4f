import { ShellError } from '../errors.ts'
import { showTable } from '../running/show-table.ts'
import { page } from '../running/page.ts'
import type { Shell } from '../state/shell.ts'
import type { Command, CommandContext, Outcome } from './command.ts'

/** A table of psql-describe's. */
interface DescribedTable {
  readonly title: string | null | undefined
  readonly ncolumns: number
  readonly headers: readonly string[]
  readonly aligns: readonly string[]
  /** Row after row. */
  readonly cells: readonly string[]
  readonly footers: readonly (string | null)[] | null
  readonly opt: { readonly default_footer?: boolean; readonly expanded?: boolean }
}

/** The commands that describe what is in a database, for the help. */
export const describing: readonly Command[] = (
  [
    ['d', '[NAME]', 'list tables, views and sequences, or describe one'],
    [
      'dt',
      '[PATTERN]',
      'list tables; \\di indexes, \\dv views, \\dm materialized views, \\ds sequences',
    ],
    ['df', '[PATTERN]', 'list functions; \\da aggregates, \\do operators, \\dT types'],
    ['dn', '[PATTERN]', 'list schemas'],
    ['du', '[PATTERN]', 'list roles; \\dp privileges of tables, \\ddp default privileges'],
    ['dx', '[PATTERN]', 'list extensions'],
    [
      'd…',
      '[PATTERN]',
      'all others of psql 18: \\dA \\db \\dc \\dC \\dD \\dE \\dF \\dL \\dP \\dRp \\dX \\dy …',
    ],
    ['l', '[PATTERN]', 'list databases'],
    ['sf', 'FUNCTION', 'show the definition of a function; \\sv of a view'],
    ['h', '[NAME]', 'the syntax of an SQL command'],
  ] as const
).map(([name, usage, summary]) => ({ names: [name], usage, summary, run: described }))

const isDescribing = /^(?:d\S*|(?:l|list|lo_list|z|s[fv])[S+x]*)$/

/** The command of a name such as `dt+`; `undefined` if it is none of these. */
export function describeCommand(name: string): Command | undefined {
  if (name === 'h' || name === 'help') return { names: [name], takesLine: true, run: described }
  if (!isDescribing.test(name)) return undefined
  return { names: [name], run: described }
}

async function described(context: CommandContext): Promise<Outcome> {
  const { shell, reader } = context
  const { connection, variables } = shell
  const { name } = reader
  const isHelp = name === 'h' || name === 'help'
  if (connection === null && !isHelp)
    throw new ShellError('You are currently not connected to a database.')
  const { asked, isExpanded } = withoutExpanded(name)
  const takesLine = isHelp || /^s[fv]/.test(name)
  const words = takesLine
    ? [inOneWord(reader.line().replace(/;+$/, ''), false)]
    : (await reader.words({ semicolon: true })).map((word) => inOneWord(word, true))
  const { describe } = await import('psql-describe')
  const items: (string | DescribedTable)[] = []
  let failure: Error | null = null
  const { promise } = describe(
    [`\\${isHelp ? 'h' : asked}`, ...words].join(' '),
    connection?.database ?? '',
    async (sql: string) => {
      try {
        const { fields, rows } = (await connection?.ask(inSql(sql))) ?? { fields: [], rows: [] }
        return { fields, rows, rowCount: rows.length }
      } catch (error) {
        failure = error as Error
        throw error
      }
    },
    (item) => items.push(item as string | DescribedTable),
    variables.get('ECHO_HIDDEN') === 'on',
    connection?.facts.versionNumber ?? 180_000,
  )
  await promise
  let succeeded = true
  for (const item of items) succeeded = (await show(shell, item, asked, isExpanded)) && succeeded
  if (failure !== null) throw failure as Error
  return succeeded ? undefined : 'failed'
}

/** Takes the `x` out of a name such as `dtx`, which asks for a line for each value. `dx` lists extensions. */
function withoutExpanded(name: string): { asked: string; isExpanded: boolean } {
  const begin = name.startsWith('dx') ? 2 : 0
  const rest = name.slice(begin)
  return {
    asked: name.slice(0, begin) + rest.replaceAll('x', ''),
    isExpanded: rest.includes('x'),
  }
}

/** Prints a table, a text or a complaint. Returns whether it was no complaint. */
async function show(
  shell: Shell,
  item: string | DescribedTable,
  name: string,
  isExpanded: boolean,
): Promise<boolean> {
  if (typeof item !== 'string') {
    await showDescribed(shell, item, isExpanded)
    return true
  }
  const text = asTyped(item)
  // The server's error is printed where it was thrown.
  if (text.startsWith('ERROR:  ')) return true
  if (text.startsWith('/******** QUERY')) {
    await shell.out.write(`${text}\n\n`)
    return true
  }
  if (/^(?:h|s)/.test(name) && /^(?:\s*\d*\s*CREATE |Command: |Available help)/.test(text)) {
    await page(shell, text.endsWith('\n') ? text : `${text}\n`)
    return true
  }
  const isWarning = text.startsWith('Note: ') || text.includes('extra argument')
  if (isWarning) shell.complain(text)
  else shell.complainOf(text)
  // As in psql, a list may be empty, but what is to be described must be there.
  return isWarning || (!/^d[S+x]*$/.test(name) && /^(?:Did not find any|The server)/.test(text))
}

async function showDescribed(
  shell: Shell,
  table: DescribedTable,
  isExpanded: boolean,
): Promise<void> {
  const { ncolumns, headers, aligns, cells, footers, opt } = table
  const rows = Array.from({ length: cells.length / ncolumns }, (_, row) =>
    cells.slice(row * ncolumns, (row + 1) * ncolumns),
  )
  // A description of one object is confusing with a line for each value.
  const options = {
    ...shell.print,
    ...(isExpanded && { expanded: 'on' as const }),
    ...(opt.expanded === false &&
      table.title?.startsWith('Sequence "') !== true && { expanded: 'off' as const }),
    footer: shell.print.footer && opt.default_footer === true,
  }
  const lines = (footers ?? []).filter((line): line is string => line !== null)
  await showTable(
    shell,
    {
      title: table.title ?? null,
      headers,
      aligns: aligns.map((align) => (align === 'r' ? 'r' : 'l')),
      rows,
      footers: lines.length === 0 ? null : lines,
    },
    options,
    shell.out,
  )
}

/** Stand-ins for characters that psql-describe would take for the end of a word: noncharacters, which no text has. */
const standIns: ReadonlyMap<string, string> = new Map([
  ["'", '\uFDD0'],
  [' ', '\uFDD1'],
  ['\t', '\uFDD2'],
  ['\n', '\uFDD3'],
])
const originals: ReadonlyMap<string, string> = new Map(
  [...standIns].map(([original, standIn]) => [standIn, original]),
)

function inOneWord(text: string, isWord: boolean): string {
  return text.replaceAll(isWord ? /['\s]/g : /'/g, (one) => standIns.get(one) ?? one)
}

function asTyped(text: string): string {
  return text.replaceAll(/[\uFDD0-\uFDD3]/g, (one) => originals.get(one) ?? one)
}

/** Within the literals of a statement, a quote is doubled. */
function inSql(sql: string): string {
  return asTyped(sql.replaceAll('\uFDD0', "''"))
}
