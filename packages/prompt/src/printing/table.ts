import type { TextResult } from '../connection/wire-query.ts'
import type { PrintOptions } from './print-options.ts'

/** A table to print. */
export interface Table {
  readonly title: string | null
  readonly headers: readonly string[]
  /** Of each column: left or right. */
  readonly aligns: readonly ('l' | 'r')[]
  readonly rows: readonly (readonly string[])[]
  /** The lines below; `null` means the number of rows. */
  readonly footers: readonly string[] | null
}

/** The types that stand on the right: integers, `oid`, floating point, `money`, `numeric`, `xid`, `cid`, `xid8`. */
const rightAligned: ReadonlySet<number> = new Set([
  20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069,
])

/** The rows that a statement has returned, as a table. */
export function tableOf(result: TextResult, options: PrintOptions): Table {
  return {
    title: options.title,
    headers: result.fields.map(({ name }) => name),
    aligns: result.fields.map(({ dataTypeID }) => (rightAligned.has(dataTypeID) ? 'r' : 'l')),
    rows: result.rows.map((row) => row.map((value) => value ?? options.null)),
    footers: null,
  }
}

/** The lines below a table, with the number of rows if it has none of its own. */
export function footersOf({ footers, rows }: Table, options: PrintOptions): readonly string[] {
  if (options.tuplesOnly) return []
  if (footers !== null) return footers
  return options.footer ? [`(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`] : []
}
