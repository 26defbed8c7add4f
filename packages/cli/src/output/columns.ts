import stringWidth from 'string-width'

/**
 * Rows as lines: each column as wide as its widest cell, two spaces between.
 *
 * `widest`, in cells of a terminal: a few long values must not push all the others aside.
 */
export function columns(
  rows: readonly (readonly string[])[],
  { widest = Infinity }: { widest?: number | undefined } = {},
): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, text] of row.entries()) {
      widths[column] = Math.min(widest, Math.max(widths[column] ?? 0, stringWidth(text)))
    }
  }
  return rows.map((row) => {
    const cells = row.map((text, column) => {
      const space = (widths[column] ?? 0) - stringWidth(text)
      return text + ' '.repeat(Math.max(0, space))
    })
    return cells.join('  ').trimEnd()
  })
}
