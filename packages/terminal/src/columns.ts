/**
 * Formats rows as lines. Each column is as wide as its widest cell, with two spaces between columns.
 *
 * `widest` limits the width of a column, in cells of a terminal, so that a few long values do not push all others aside.
 */
export async function columns(
  rows: readonly (readonly string[])[],
  { widest = Infinity }: { widest?: number | undefined } = {},
): Promise<string[]> {
  // It takes longer to load than everything else here.
  const { default: stringWidth } = await import('string-width')
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
