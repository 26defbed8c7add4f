import { readFileSync, statSync } from 'node:fs'
import type { LockHolder } from '../errors.ts'
import type { LockMode } from '../lock-mode.ts'
import { identifyProcess } from './process-identity.ts'

/** A process that holds a lock, or waits for it. */
export interface Holder {
  readonly pid: number
  readonly mode: LockMode
  /** Its command line, the words separated by spaces; `null` if it cannot be read. */
  readonly command: string | null
}

/** A line of `/proc/locks`: a process that took a flock(2) lock, or is blocked in the kernel while it waits for one. */
export interface KernelLock {
  readonly pid: number
  readonly mode: LockMode
  readonly blocked: boolean
}

/**
 * The flock(2) locks on a file, read from `/proc/locks` (proc_locks(5)) without opening the file.
 *
 * Names the process that *took* a lock, even if that process is dead and a child has the descriptor now. Inside a pid
 * namespace, locks of dead takers and of processes outside are not listed. Empty if there is no such file or no `/proc`.
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

/** The living processes that took the lock, according to `/proc/locks`. */
export function quickHolders(path: string): Holder[] {
  const holders = new Map<number, Holder>()
  for (const { pid, mode } of livingTakers(path))
    holders.set(pid, { pid, mode, command: commandOf(pid) })
  return [...holders.values()]
}

/** One holder of the lock, to be named in an error. */
export function quickHolder(path: string): LockHolder | undefined {
  const [found] = livingTakers(path)
  return found && { pid: found.pid, liveness: 'alive' }
}

/**
 * The locks of living takers. The kernel gives its table in pieces, and a lock may be in none of them while other locks are
 * released, so one look at which nobody is found is not believed.
 */
function livingTakers(path: string): KernelLock[] {
  for (let look = 0; look < looks; look += 1) {
    const found = kernelLocks(path).filter(
      ({ blocked, pid }) => !blocked && identifyProcess(pid) !== null,
    )
    if (found.length > 0) return found
  }
  return []
}

/** How often to look for a taker. */
const looks = 4

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

/** A device number as `/proc/locks` writes it: major and minor (makedev(3)) in hexadecimal, with at least two digits each. */
function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`
}
