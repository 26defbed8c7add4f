// The table: what a row is, and how its figures look.

/**
 * A row: what is measured; before this work, as the issue has it; now; what is measured beside it in the same run, by name; what is aimed
 * at. Each is a number, or a text.
 */
export function row(what, { before, now, beside = {}, goal, unit = 'ms' }) {
  const others = Object.entries(beside)
    .filter(([, value]) => !Number.isNaN(value))
    .map(([name, value]) => `${name} ${figure(value, unit)}`)
  return [
    what,
    figure(before, unit),
    figure(now, unit),
    others.join(', '),
    typeof goal === 'number' ? `${isMore(unit) ? '≥' : '≤'} ${figure(goal, unit)}` : (goal ?? ''),
  ]
}

export function printTable(rows) {
  const head = ['', 'before', 'now', 'beside it', 'goal']
  const line = head.map((_, at) => (at === 0 || at === 3 ? '---' : '---:'))
  for (const cells of [head, line, ...rows]) console.log(`| ${cells.join(' | ')} |`)
}

/** A figure in three digits at most, with its unit. */
export function figure(value, unit) {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Number.isNaN(value)) return '–'
  const text = value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
  return unit === '/s' ? `${text}/s` : `${text} ${unit}`
}

/** Whether more of it is better. */
function isMore(unit) {
  return unit.endsWith('/s')
}
