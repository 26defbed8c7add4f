import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** In bytes: the proportional set size of processes together, in which what they share is counted once. See proc(5). */
export function pss(pids) {
  let sum = 0
  for (const pid of pids) {
    sum += Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024
  }
  return sum
}

/** The postmaster of a data directory, with all its children, and the watchdog. */
export function treeOf(dataDir) {
  const postmaster = Number(read(join(dataDir, 'postmaster.pid')).split('\n')[0])
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const children = pids.filter((pid) => {
    const stat = read(`/proc/${pid}/stat`)
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === postmaster
  })
  const watchdogs = pids.filter((pid) => {
    const command = read(`/proc/${pid}/cmdline`)
    return command.includes('howdah-watchdog') && command.includes(dataDir)
  })
  return [postmaster, ...children, ...watchdogs]
}

/** A file's text; empty if there is none. */
export function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
