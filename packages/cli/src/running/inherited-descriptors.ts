import { constants, fstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Descriptors above this reach a program by themselves: Node marks them for closing only if all below them are open. */
const highest = 1023

/** Where the system lists the descriptors of a process. Elsewhere than on Linux that is this process only. */
const ownDescriptors = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'

interface Descriptor {
  readonly fd: number
  /** What it leads to: the same for both ends of a pipe. */
  readonly target: string
}

/**
 * The descriptors from 3 to 1023 that this process was started with, in ascending order: what its caller had opened for
 * it, such as the pipe of make's job server or the sockets of systemd.
 *
 * Call it first of all, before anything is opened. Node marks what it inherits for closing and opens descriptors of its
 * own, so that only their kinds tell them apart. Node's own are event queues, event counters, and pairs of pipe ends.
 * A pair that the parent process has too, or with ends of two sorts, is inherited.
 *
 * Empty on Windows.
 */
export function inheritedDescriptors(): number[] {
  const open = descriptorsIn(ownDescriptors).filter(({ fd }) => fd > 2 && fd <= highest)
  const pairs = new Set(
    open.filter(({ target }) => isPairOfNode(open, target)).map(({ target }) => target),
  )
  if (pairs.size > 0 && process.platform === 'linux') {
    for (const { target } of descriptorsIn(`/proc/${process.ppid}/fd`)) pairs.delete(target)
  }
  return open
    .filter(({ target }) => !pairs.has(target))
    .filter(({ target }) => !/^anon_inode:\[(?:eventpoll|eventfd|io_uring)\]$/.test(target))
    .map(({ fd }) => fd)
    .toSorted((one, other) => one - other)
}

/**
 * The `stdio` from 3 on by which a child of `spawn` has those of these descriptors that are {@link stillOpen}, under the same
 * numbers, and no others.
 *
 * Numbers that stay the same cannot collide with what Node opens for the spawning.
 */
export function stdioOf(descriptors: readonly number[]): ('ignore' | number)[] {
  const wanted = new Set(stillOpen(descriptors).filter((fd) => fd > 2))
  const length = Math.max(2, ...wanted) - 2
  return Array.from({ length }, (_, index) => (wanted.has(index + 3) ? index + 3 : 'ignore'))
}

/** Those of the descriptors that were not closed meanwhile: by a closed one, nothing could be spawned. */
export function stillOpen(descriptors: readonly number[]): number[] {
  return descriptors.filter((fd) => {
    try {
      fstatSync(fd)
      return true
    } catch {
      return false
    }
  })
}

function descriptorsIn(directory: string): Descriptor[] {
  try {
    return readdirSync(directory).flatMap((name) => {
      const target = targetOf(directory, name)
      return target === null ? [] : [{ fd: Number(name), target }]
    })
  } catch {
    // There is no such list, or it is another user's.
    return []
  }
}

/** `null`: it is not open any more, like the one by which the directory was read. */
function targetOf(directory: string, name: string): string | null {
  try {
    if (directory !== '/dev/fd') return readlinkSync(`${directory}/${name}`)
    const stats = fstatSync(Number(name))
    return stats.isFIFO() ? `pipe:[${stats.dev}:${stats.ino}]` : 'other'
  } catch {
    return null
  }
}

/** Whether these are the two ends of one pipe, both blocking or both not, as Node makes them. */
function isPairOfNode(open: readonly Descriptor[], target: string): boolean {
  if (!target.startsWith('pipe:')) return false
  const ends = open.filter((other) => other.target === target)
  if (ends.length !== 2) return false
  const [one, other] = ends.map(({ fd }) => flagsOf(fd))
  if (one == null || other == null) return true
  const isPair = (one & 1) !== (other & 1)
  return isPair && (one & constants.O_NONBLOCK) === (other & constants.O_NONBLOCK)
}

/** The flags that a descriptor was opened with, from proc_pid_fdinfo(5); `null` if there is no `/proc`. */
function flagsOf(fd: number): number | null {
  try {
    const octal = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return octal === undefined ? null : Number.parseInt(octal, 8)
  } catch {
    return null
  }
}
