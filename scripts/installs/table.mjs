const columns = ['Node 20', 'Node 22', 'Node 24', 'Node 26', 'no scripts', 'BusyBox']

/** The results as a table in Markdown: a row for each package manager. */
export function tableOf(results) {
  const titles = new Set(results.map(({ row }) => row))
  const rows = [...titles].toSorted((left, right) =>
    left.localeCompare(right, 'en', { numeric: true }),
  )
  const cell = (row, column) => {
    const found = results.find((one) => one.row === row && one.column === column)
    if (found === undefined) return '–'
    return found.problems.length === 0 ? 'works' : '**fails**'
  }
  const lines = rows.map(
    (row) => `| ${[row, ...columns.map((one) => cell(row, one))].join(' | ')} |`,
  )
  return [
    `|  | ${columns.join(' | ')} |`,
    `| --- |${' :---: |'.repeat(columns.length)}`,
    ...lines,
    '',
  ].join('\n')
}
