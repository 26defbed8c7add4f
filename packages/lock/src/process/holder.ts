import { readFileSync, statSync } from 'node:fs'
import type { LockHolder } from '../errors.ts'
import type { LockMode } from '../lock-mode.ts'
import { identifyProcess } from './process-identity.ts'

/** A process that holds a lock, or waits for it. */
export interface Holder {
  readonly pid: number
  readonly mode: LockMode
  /** Its command line, the words parted by spaces; `null` if it cannot be read. */
  readonly command: string | null
}

/** A line of `/proc/locks`: who took a flock(2) lock, or is blocked in the kernel for one. */
export interface KernelLock {
  readonly pid: number
  readonly mode: LockMode
  readonly blocked: boolean
}

/**
 * The flock(2) locks on a file, from `/proc/locks` (proc_locks(5)), so without touching the file.
 *
 * Names the process that *took* a lock, even if the taker is dead and a child has the descriptor now; inside a pid namespace
 * such a lock, and one from outside, is not listed. Empty if there is no such file or no `/proc`.
 */
export function kernelLocks(path: string): KernelLock[] {
  try {
    const file = statSync(path, { bigint: true, throwIfNoEntry: false })
    return file === undefined ? [] : kernelLocksOn(file)
  } catch {
    return []
  }
}

/** The flock(2) locks on an inode; see {@link kernelLocks}. */
export function kernelLocksOn({ dev, ino }: { dev: bigint; ino: bigint }): KernelLock[] {
  if (process.platform !== 'linux') return []
  let table: string
  const place = `${deviceNumber(dev)}:${ino}`
  try {
    table = readFileSync('/proc/locks', 'utf8')
  } catch {
    return []
  }
  const locks: KernelLock[] = []
  for (const line of table.split('\n')) {
    if (!line.includes(place)) continue
    // 1: -> FLOCK  ADVISORY  WRITE 708 fe:00:2146353 0 EOF, with a further space for each waiter before it.
    const match = /^\d+: +(-> )?FLOCK +\S+ +(\w+) +(\d+) +(\S+) /.exec(line)
    if (match?.[4] !== place) continue
    locks.push({
      pid: Number(match[3]),
      mode: match[2] === 'WRITE' ? 'exclusive' : 'shared',
      blocked: match[1] !== undefined,
    })
  }
  return locks
}

/** Who took the lock, as far as `/proc/locks` tells, and lives. */
export function quickHolders(path: string): Holder[] {
  const holders = new Map<number, Holder>()
  for (const { pid, mode, blocked } of kernelLocks(path)) {
    if (!blocked && identifyProcess(pid) !== null)
      holders.set(pid, { pid, mode, command: commandOf(pid) })
  }
  return [...holders.values()]
}

/** One holder, for an error. */
export function quickHolder(path: string): LockHolder | undefined {
  const found = kernelLocks(path).find(
    ({ blocked, pid }) => !blocked && identifyProcess(pid) !== null,
  )
  return found && { pid: found.pid, liveness: 'alive' }
}

/** The command line of a process, from `/proc` (proc_pid_cmdline(5)). */
export function commandOf(pid: number): string | null {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    if (words.at(-1) === '') words.pop()
    return words.length > 0 ? words.join(' ') : null
  } catch {
    return null
  }
}

/** As `/proc/locks` writes a device: major and minor (makedev(3)) in hexadecimal, two digits at least. */
function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`
}
