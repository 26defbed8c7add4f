import { type CellLine, cellLines } from './cell-lines.ts'
import { type LineStyle, lineStyleOf } from './line-style.ts'
import type { PrintOptions } from './print-options.ts'
import { footersOf, type Table } from './table.ts'

/** A table with a line for each value, and a heading for each row. */
export function expandedTable(table: Table, options: PrintOptions): string {
  if (table.rows.length === 0) return [...footersOf(table, options), ''].join('\n') + '\n'
  const layout = layOut(table, options)
  const { border } = layout
  const lines: string[] = []
  if (!options.tuplesOnly && table.title !== null) lines.push(table.title)
  for (const [index, cells] of layout.rows.entries()) {
    const place = index === 0 ? 'top' : 'below'
    if (!options.tuplesOnly) lines.push(heading(layout, place, index + 1))
    else if (index > 0 || border === 2) lines.push(heading(layout, place, null))
    for (const [column, value] of cells.entries())
      pushCell(lines, layout.headers[column] ?? [], value, layout)
  }
  if (border === 2) lines.push(heading(layout, 'bottom', null))
  if (table.footers !== null && !options.tuplesOnly) {
    if (border < 2) lines.push('')
    lines.push(...table.footers)
  }
  lines.push('')
  return `${lines.join('\n')}\n`
}

interface Layout {
  readonly border: number
  readonly style: LineStyle
  readonly headers: readonly (readonly CellLine[])[]
  readonly rows: readonly (readonly (readonly CellLine[])[])[]
  /** Of the names. */
  readonly nameWidth: number
  /** Of the values. */
  readonly valueWidth: number
  /** Whether a name has several lines. */
  readonly isMarked: boolean
  /** Whether a value has several lines. */
  readonly goesOn: boolean
}

function layOut(table: Table, options: PrintOptions): Layout {
  const border = Math.min(2, options.border)
  const headers = table.headers.map(cellLines)
  const rows = table.rows.map((row) => row.map(cellLines))
  const [nameWidth, nameHeight] = sizeOf(headers)
  let valueWidth = 0
  let valueHeight = 0
  for (const row of rows) {
    const [width, height] = sizeOf(row)
    valueWidth = Math.max(valueWidth, width)
    valueHeight = Math.max(valueHeight, height)
  }
  const isMarked = nameHeight > 1
  const goesOn = valueHeight > 1
  const style = lineStyleOf(options)
  return { border, style, headers, rows, nameWidth, valueWidth, isMarked, goesOn }
}

function sizeOf(cells: readonly (readonly CellLine[])[]): [width: number, height: number] {
  let width = 0
  let height = 0
  for (const lines of cells) {
    height = Math.max(height, lines.length)
    for (const line of lines) width = Math.max(width, line.width)
  }
  return [width, height]
}

/** The line above a record, or below the last one. It covers the rule, whose cross disappears under a long text. */
function heading(
  { border, style, nameWidth, valueWidth }: Layout,
  place: 'top' | 'below' | 'bottom',
  record: number | null,
): string {
  if (border === 0) {
    const text = record === null ? '' : `* Record ${record}`
    return text.padEnd(nameWidth + valueWidth)
  }
  const { line, left, middle, right } = style[place]
  const whole = line.repeat(nameWidth + 1) + middle + line.repeat(valueWidth + 1)
  const text = record === null ? '' : `[ RECORD ${record} ]`
  if (border === 1) return line + text + whole.slice(1 + text.length)
  return left + line + text + (line + whole).slice(1 + text.length) + line + right
}

function pushCell(
  into: string[],
  names: readonly CellLine[],
  values: readonly CellLine[],
  { border, style, nameWidth, valueWidth, isMarked, goesOn }: Layout,
): void {
  const height = Math.max(names.length, values.length)
  for (let index = 0; index < height; index += 1) {
    const name = names[index]
    const value = values[index]
    let line = border === 2 ? `${style.column} ` : ''
    line += (name?.text ?? '') + ' '.repeat(nameWidth - (name?.width ?? 0))
    if (border > 0 || isMarked) line += index < names.length - 1 ? style.newline : ' '
    if (border > 0) line += style.column
    if (value !== undefined) {
      const space = ' '.repeat(valueWidth - value.width)
      line += ` ${value.text}`
      if (index < values.length - 1 && (border === 2 || goesOn)) line += space + style.newline
      else if (border === 2) line += `${space} `
    } else if (border === 2) line += ' '.repeat(valueWidth + 2)
    into.push(border === 2 ? line + style.column : line)
  }
}
