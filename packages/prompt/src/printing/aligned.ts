import { type CellLine, cellLines, widthOf } from './cell-lines.ts'
import { expandedTable } from './expanded.ts'
import { type LineStyle, lineStyleOf } from './line-style.ts'
import type { PrintOptions } from './print-options.ts'
import { footersOf, type Table } from './table.ts'

/** A table with aligned columns. With `expanded auto`, it is expanded if it is wider than `columns`, unless that is 0. */
export function alignedTable(table: Table, options: PrintOptions, columns: number): string {
  const layout = layOut(table, options)
  if (options.expanded === 'auto' && columns > 0 && layout.width > columns)
    return expandedTable(table, options)
  const lines: string[] = []
  if (!options.tuplesOnly) {
    if (table.title !== null) lines.push(...centered(table.title, layout.width))
    if (layout.border === 2) lines.push(rule(layout, 'top'))
    lines.push(...header(layout))
    lines.push(rule(layout, 'below'))
  }
  for (const cells of layout.rows) pushRow(lines, cells, table.aligns, layout)
  if (layout.border === 2) lines.push(rule(layout, 'bottom'))
  lines.push(...footersOf(table, options), '')
  return `${lines.join('\n')}\n`
}

interface Layout {
  readonly border: number
  readonly style: LineStyle
  readonly headers: readonly (readonly CellLine[])[]
  readonly rows: readonly (readonly (readonly CellLine[])[])[]
  /** Of each column. */
  readonly widths: readonly number[]
  /** Of the whole table. */
  readonly width: number
}

function layOut(table: Table, options: PrintOptions): Layout {
  const border = Math.min(2, options.border)
  const headers = table.headers.map(cellLines)
  const rows = table.rows.map((row) => row.map(cellLines))
  const widths = headers.map(widestOf)
  for (const row of rows) {
    for (const [column, lines] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, widestOf(lines))
  }
  const count = widths.length
  const borders = [count, Math.max(0, count * 3 - 1), count * 3 + 1][border] ?? 0
  const width = widths.reduce((sum, one) => sum + one, borders)
  return { border, style: lineStyleOf(options), headers, rows, widths, width }
}

/** Not with a spread, because a value may have more lines than a call may have arguments. */
function widestOf(lines: readonly CellLine[]): number {
  return lines.reduce((widest, { width }) => Math.max(widest, width), 0)
}

function centered(title: string, width: number): string[] {
  const own = title.split('\n').reduce((widest, line) => Math.max(widest, widthOf(line)), 0)
  return [own >= width ? title : ' '.repeat(Math.floor((width - own) / 2)) + title]
}

function rule({ border, style, widths }: Layout, place: 'top' | 'below' | 'bottom'): string {
  const { line, left, middle, right } = style[place]
  const dashes = widths.map((width) => line.repeat(width))
  if (border === 0) return dashes.join(' ')
  const inner = line + dashes.join(line + middle + line) + line
  return border === 1 ? inner : left + inner + right
}

function header({ border, style, headers, widths }: Layout): string[] {
  const height = headers.reduce((most, lines) => Math.max(most, lines.length), 0)
  return Array.from({ length: height }, (_, index) => {
    const cells = headers.map((lines, column) => {
      const { text, width } = lines[index] ?? { text: '', width: 0 }
      const space = (widths[column] ?? 0) - width
      const mark = index < lines.length - 1 ? style.newline : ' '
      const begin = border === 0 ? '' : ' '
      return (
        begin + ' '.repeat(Math.floor(space / 2)) + text + ' '.repeat(Math.ceil(space / 2)) + mark
      )
    })
    return enclosed(cells, border, style)
  })
}

function pushRow(
  into: string[],
  cells: readonly (readonly CellLine[])[],
  aligns: Table['aligns'],
  { border, style, widths }: Layout,
): void {
  const height = cells.reduce((most, lines) => Math.max(most, lines.length), 0)
  const last = cells.length - 1
  for (let index = 0; index < height; index += 1) {
    const line = cells.map((lines, column) => {
      const { text, width } = lines[index] ?? { text: '', width: 0 }
      const isPast = index >= lines.length
      const space = ' '.repeat((widths[column] ?? 0) - width)
      const goesOn = index < lines.length - 1
      const isPadded = border === 2 || column < last
      const end = goesOn ? style.newline : isPadded ? ' ' : ''
      const content =
        aligns[column] === 'r' && !isPast ? space + text : isPadded || goesOn ? text + space : text
      return (border === 0 ? '' : ' ') + content + end
    })
    into.push(enclosed(line, border, style))
  }
}

function enclosed(cells: readonly string[], border: number, { column }: LineStyle): string {
  if (border === 0) return cells.join('')
  return border === 1 ? cells.join(column) : column + cells.join(column) + column
}
