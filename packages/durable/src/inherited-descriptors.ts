import { constants, fstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** A program inherits descriptors above this number anyway: Node marks them for closing only if all lower ones are open. */
const highest = 1023

/** The directory in which the system lists this process's descriptors. */
const ownDescriptors = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'

interface Descriptor {
  readonly fd: number
  /** The target of its link: the same for both ends of a pipe. */
  readonly target: string
}

/**
 * The descriptors from 3 to 1023 that this process inherited, in ascending order. Its caller opened them for it, such as the
 * pipe of make's job server or the sockets of systemd.
 *
 * Call this first, before anything is opened. Node marks inherited descriptors for closing and opens descriptors of its own,
 * so only the kinds of descriptors distinguish them. Node's own are event queues, event counters, and pairs of pipe ends. A
 * pair is inherited if the parent process has it too, or if its ends have different flags.
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
 * The `stdio` of `spawn` from 3 on: the child gets those of these descriptors that are {@link stillOpen}, under the same
 * numbers, and no others.
 *
 * With the same numbers, they cannot collide with descriptors that Node opens for the spawning.
 */
export function stdioOf(descriptors: readonly number[]): ('ignore' | number)[] {
  const wanted = new Set(stillOpen(descriptors).filter((fd) => fd > 2))
  const length = Math.max(2, ...wanted) - 2
  return Array.from({ length }, (_, index) => (wanted.has(index + 3) ? index + 3 : 'ignore'))
}

/** The descriptors that are still open. With a closed one, `spawn` would fail. */
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
    // There is no such list, or it belongs to another user.
    return []
  }
}

/** The target of a descriptor; `null` if it is closed, like the descriptor with which the directory was read. */
function targetOf(directory: string, name: string): string | null {
  try {
    if (directory !== '/dev/fd') return readlinkSync(`${directory}/${name}`)
    const stats = fstatSync(Number(name))
    return stats.isFIFO() ? `pipe:[${stats.dev}:${stats.ino}]` : 'other'
  } catch {
    return null
  }
}

/** Whether these are the two ends of one pipe, both blocking or both not, like the pipes that Node makes. */
function isPairOfNode(open: readonly Descriptor[], target: string): boolean {
  if (!target.startsWith('pipe:')) return false
  const ends = open.filter((other) => other.target === target)
  if (ends.length !== 2) return false
  const [one, other] = ends.map(({ fd }) => flagsOf(fd))
  if (one == null || other == null) return true
  const isPair = (one & 1) !== (other & 1)
  return isPair && (one & constants.O_NONBLOCK) === (other & constants.O_NONBLOCK)
}

/** The flags of a descriptor, from proc_pid_fdinfo(5); `null` if there is no `/proc`. */
function flagsOf(fd: number): number | null {
  try {
    const octal = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return octal === undefined ? null : Number.parseInt(octal, 8)
  } catch {
    return null
  }
}
