import { readdirSync, readFileSync } from 'node:fs'

/** Whether a shell has sleep(1) running, for so many seconds or for any time. */
export function isPausing(shell: number, seconds = ''): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name) || !isChildOf(Number(name), shell)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith(`sleep\0${seconds}`)
    } catch {
      return false
    }
  })
}

/** Whether a process is another's child, such as the flock(1) of the shell that watches. */
export function isChildOf(pid: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(parent)
  } catch {
    return false
  }
}
