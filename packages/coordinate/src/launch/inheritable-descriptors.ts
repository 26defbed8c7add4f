import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'
import type { IOType } from 'node:child_process'

/** Beyond this, descriptors are not covered: each costs the child an entry in a table. */
const highest = 65_536

/**
 * The descriptors above 2 of this process that a child would inherit, although nobody handed them to it.
 *
 * Node opens all of its own with O_CLOEXEC and marks low ones that it inherited, but not those above a gap: a pipe that
 * a shell left on descriptor 63 would be held open by a server for as long as that runs.
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
          return false // Closed since: it was the directory's own.
        }
      })
      .toSorted((a, b) => a - b)
  } catch {
    return [] // No /proc: macOS, where libuv has the kernel close all that is not handed on.
  }
}

/** How many descriptors are left for what spawning itself needs. */
const spare = 8

/**
 * How many descriptors this process may have: what is above can neither be covered, nor be opened by anybody. They were
 * opened before the limit was lowered.
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

/** A child's stdio in which /dev/null covers what it would inherit otherwise. */
export interface CoveredStdio extends Disposable {
  readonly stdio: (IOType | number)[]
}

/** Extends a child's stdio so that it inherits nothing else. To be disposed once the child is spawned. */
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
