import type { FieldDef, QueryArrayResult } from 'pg'
import stringWidth from 'string-width'

/** A result with values that are the server's own text. */
export type TextResult = QueryArrayResult<(string | null)[]>

/** The text for NULL in the prompt's tables. */
const nullMark = 'NULL'

/** The types that are aligned to the right: `bigint`, `smallint`, `integer`, `oid`, `real`, `double precision`, `money`, `numeric`, `xid`. */
const numeric: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 790, 1700, 28])

/**
 * Renders a result like psql: aligned columns, then the number of rows and an empty line. If the result has no columns, it
 * renders the command's tag (`INSERT 0 1`).
 */
export function renderResult(result: TextResult): string {
  const { fields, rows, command, rowCount } = result
  // The tag of CREATE TABLE AS is SELECT, although it returns no rows.
  if (fields.length === 0 && rows.length === 0) return tag(command, rowCount)
  const count = `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`
  if (fields.length === 0) return `--\n${count}\n`
  const cells = rows.map((row) => row.map((value) => linesOf(value ?? nullMark)))
  const widths = fields.map((field, column) =>
    Math.max(stringWidth(field.name), ...maximum(cells, column)),
  )
  const head = fields.map((field, column) => center(printable(field.name), widths[column] ?? 0))
  const output = [
    ` ${head.join(' | ')} `.trimEnd(),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.flatMap((row) => renderRow(row, fields, widths)),
    `${count}\n`,
  ]
  return output.join('\n')
}

function tag(command: string, rowCount: number | null): string {
  if (rowCount === null) return command
  return command === 'INSERT' ? `INSERT 0 ${rowCount}` : `${command} ${rowCount}`
}

/**
 * The width of the widest line of a column, as a list of one. A generator would be slow, and a spread of a long array would
 * overflow the stack.
 */
function maximum(cells: readonly (readonly (readonly string[])[])[], column: number): [number] {
  let widest = 0
  for (const row of cells) {
    for (const line of row[column] ?? []) widest = Math.max(widest, stringWidth(line))
  }
  return [widest]
}

function renderRow(
  row: readonly (readonly string[])[],
  fields: readonly FieldDef[],
  widths: readonly number[],
): string[] {
  const height = Math.max(1, ...row.map((lines) => lines.length))
  return Array.from({ length: height }, (_, index) => {
    const line = fields.map(({ dataTypeID }, column) => {
      const text = row[column]?.[index] ?? ''
      const space = ' '.repeat((widths[column] ?? 0) - stringWidth(text))
      return numeric.has(dataTypeID) ? space + text : text + space
    })
    return ` ${line.join(' | ')} `.trimEnd()
  })
}

function center(text: string, width: number): string {
  const space = width - stringWidth(text)
  return ' '.repeat(Math.floor(space / 2)) + text + ' '.repeat(Math.ceil(space / 2))
}

function linesOf(value: string): string[] {
  return value.split(/\r?\n/).map(printable)
}

/** Replaces the control characters, which a terminal would obey. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are just what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, (character) =>
    character === '\t'
      ? '    '
      : String.raw`\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
