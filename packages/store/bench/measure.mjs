import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How long each candidate runs, in seconds. */
const usual = Number(process.env.HOWDAH_BENCH_SECONDS ?? 1)

/** Runs an action repeatedly, and gives the number of runs a second and the median time in ms. */
export async function rate(action, seconds = usual) {
  await action(0)
  const times = []
  const end = performance.now() + seconds * 1000
  for (let n = 1, now = performance.now(); now < end; n++) {
    await action(n)
    const then = now
    now = performance.now()
    times.push(now - then)
  }
  const total = times.reduce((sum, time) => sum + time, 0)
  times.sort((one, other) => one - other)
  return { perSecond: (times.length / total) * 1000, median: times[Math.floor(times.length / 2)] }
}

/** Runs something in a directory of its own, which is removed afterwards. */
export async function inDirectory(action) {
  const directory = mkdtempSync(join(process.env.HOWDAH_BENCH_DIR ?? tmpdir(), 'howdah-bench-'))
  try {
    return await action(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Formats a number for a table. */
export function figure(value, digits = 3) {
  return value === null ? '–' : Number(value.toPrecision(digits)).toLocaleString('en')
}

/** Prints rows as a table in Markdown. */
export function printTable(title, head, rows) {
  console.log(`\n### ${title}\n`)
  console.log(`| ${head.join(' | ')} |`)
  console.log(`| ${head.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`)
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
}
