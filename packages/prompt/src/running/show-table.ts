import type { PrintOptions } from '../printing/print-options.ts'
import { renderTable } from '../printing/render-table.ts'
import type { Table } from '../printing/table.ts'
import type { OutputTarget } from '../state/output-target.ts'
import type { Shell } from '../state/shell.ts'
import { page } from './page.ts'

/** Prints a table, through a pager if it is longer than the terminal. */
export async function showTable(
  shell: Shell,
  table: Table,
  options: PrintOptions,
  target: OutputTarget,
): Promise<void> {
  const { stdout } = shell.host
  const isOnTerminal = target === shell.stdout && stdout.isTTY === true
  const text = renderTable(table, options, isOnTerminal ? (stdout.columns ?? 0) : 0)
  await (isOnTerminal ? page(shell, text) : target.write(text))
}
