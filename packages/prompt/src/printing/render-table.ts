import { alignedTable } from './aligned.ts'
import { csvTable } from './csv.ts'
import { expandedTable } from './expanded.ts'
import type { PrintOptions } from './print-options.ts'
import type { Table } from './table.ts'
import { unalignedExpandedTable, unalignedTable } from './unaligned.ts'

/** Renders a table as psql does. `columns` is the width of the terminal; 0 if there is none. */
export function renderTable(table: Table, options: PrintOptions, columns: number): string {
  const isExpanded = options.expanded === 'on'
  switch (options.format) {
    case 'csv':
      return csvTable(table, options)
    case 'unaligned':
      return isExpanded ? unalignedExpandedTable(table, options) : unalignedTable(table, options)
    case 'aligned':
    default:
      return isExpanded
        ? expandedTable(table, options)
        : alignedTable(table, options, options.columns || columns)
  }
}
