import type { PrintOptions } from './print-options.ts'
import type { Table } from './table.ts'

/** A table as CSV, of RFC 4180 with bare line feeds. Titles and footers are left out. */
export function csvTable(table: Table, options: PrintOptions): string {
  const line = (values: readonly string[]) =>
    values.map((value) => csvField(value, options)).join(options.csvFieldSeparator)
  const lines =
    options.expanded === 'on'
      ? table.rows.flatMap((row) =>
          row.map((value, column) => line([table.headers[column] ?? '', value])),
        )
      : [...(options.tuplesOnly ? [] : [line(table.headers)]), ...table.rows.map(line)]
  return lines.map((one) => `${one}\n`).join('')
}

function csvField(value: string, { csvFieldSeparator: separator }: PrintOptions): string {
  const mustBeQuoted =
    value.includes(separator) ||
    /[\r\n"]/.test(value) ||
    value === String.raw`\.` ||
    separator === '\\' ||
    separator === '.'
  return mustBeQuoted ? `"${value.replaceAll('"', '""')}"` : value
}
