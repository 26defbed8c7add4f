const columns = ['Node 20', 'Node 22', 'Node 24', 'Node 26', 'no scripts', 'BusyBox', 'Bun']

/** The results of cases as a table in Markdown: a row for each package manager. */
export function tableOf(cases, results) {
  const titles = new Set(cases.map(({ row }) => row))
  const rows = [...titles].toSorted((left, right) =>
    left.localeCompare(right, 'en', { numeric: true }),
  )
  const cell = (row, column) => {
    const isThis = (one) => one.row === row && one.column === column
    const found = results.find(isThis)
    if (found === undefined) return cases.some(isThis) ? 'not tried' : '–'
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
