import { type PrintOptions, zero } from './print-options.ts'
import { footersOf, type Table } from './table.ts'

/** A table whose values are separated, but not aligned. */
export function unalignedTable(table: Table, options: PrintOptions): string {
  const { fieldSeparator, tuplesOnly } = options
  const records = [
    ...(tuplesOnly || table.title === null ? [] : [table.title]),
    ...(tuplesOnly ? [] : [table.headers.join(fieldSeparator)]),
    ...(table.headers.length === 0 ? [] : table.rows.map((row) => row.join(fieldSeparator))),
    ...footersOf(table, options),
  ]
  return ended(records, options.recordSeparator, options)
}

/** The same with a line for each value. */
export function unalignedExpandedTable(table: Table, options: PrintOptions): string {
  const { fieldSeparator, recordSeparator, tuplesOnly } = options
  const records = table.rows.map((row) =>
    row
      .map((value, column) => `${table.headers[column] ?? ''}${fieldSeparator}${value}`)
      .join(recordSeparator),
  )
  const titled = tuplesOnly || table.title === null ? records : [table.title, ...records]
  const footers = tuplesOnly ? [] : (table.footers ?? [])
  const whole =
    footers.length === 0
      ? titled
      : [[titled.join(recordSeparator.repeat(2)), '', ...footers].join(recordSeparator)]
  return ended(whole, recordSeparator.repeat(2), options)
}

/** The last record ends with a line end, whatever separates records, unless that is a zero byte. */
function ended(
  records: readonly string[],
  separator: string,
  { recordSeparator }: PrintOptions,
): string {
  if (records.length === 0) return ''
  return records.join(separator) + (recordSeparator === zero ? zero : '\n')
}
