import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'
import type { IOType } from 'node:child_process'

/** The highest descriptor that is covered, because each costs the child an entry in a table. */
const highest = 65_536

/**
 * The descriptors of this process above 2 that a child would inherit although nobody passed them to it.
 *
 * Node opens its own descriptors with O_CLOEXEC, and marks the inherited ones up to the first gap, but not those above it. So
 * a server would hold open, for as long as it runs, a pipe that a shell has left on descriptor 63.
 */
function inheritableDescriptors(): number[] {
  const closeOnExec = 0o2000000
  try {
    return readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => {
        if (fd <= 2 || fd > highest) return false
        try {
          const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))
          return flags !== null && (Number.parseInt(flags[1] ?? '', 8) & closeOnExec) === 0
        } catch {
          return false // It was the descriptor of the directory listing, and is closed by now.
        }
      })
      .toSorted((a, b) => a - b)
  } catch {
    return [] // There is no /proc on macOS. There libuv makes the kernel close all descriptors that are not passed on.
  }
}

/** How many descriptors are kept free for spawning. */
const spare = 8

/**
 * How many descriptors this process may have. Descriptors above the limit, opened before it was lowered, cannot be covered.
 *
 * Source: proc_pid_limits(5), getrlimit(2).
 */
function limit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}

/** The `stdio` of a child, with /dev/null instead of descriptors that it would otherwise inherit. */
export interface CoveredStdio extends Disposable {
  readonly stdio: (IOType | number)[]
}

/** Extends a child's `stdio` so that it inherits nothing else. Dispose of the result once the child is spawned. */
export function coverDescriptors(stdio: readonly (IOType | number)[]): CoveredStdio {
  const covered = [...stdio]
  const above = inheritableDescriptors().filter((fd) => fd >= stdio.length)
  const most = above.length === 0 ? 0 : limit() - spare
  const exposed = above.filter((fd) => fd < most)
  if (exposed.length === 0) return { stdio: covered, [Symbol.dispose]: () => undefined }
  const nothing = openSync('/dev/null', 'r+')
  for (const fd of exposed) {
    while (covered.length < fd) covered.push('ignore')
    covered[fd] = nothing
  }
  return { stdio: covered, [Symbol.dispose]: () => closeSync(nothing) }
}
