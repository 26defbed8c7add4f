import { users, type Paths, type WatchdogKind } from '@howdah/coordinate'
import { inspect, tryAcquire } from '@howdah/lock'

/** Whether the system tells who holds a lock. */
export const isLinux = process.platform === 'linux'
if (!isLinux)
  console.log('skipped: only Linux has the watchdog that is a shell, with /proc and flock(1)')

/** The watchdogs that there are on this system. */
export const watchdogKinds: readonly WatchdogKind[] = isLinux ? ['sh', 'node'] : ['node']

/** Whether nobody has a lock: by a look, or, if the system does not tell, by a try. */
export async function isFree(path: string): Promise<boolean> {
  if (isLinux) return (await inspect(path)).holders.length === 0
  const lock = await tryAcquire(path, { create: false })
  lock?.release()
  return lock !== null
}

/** Whether exactly one process has a lock: a child that a shell makes has its lock, too, until it has closed that. */
export async function hasOneHolder(path: string): Promise<boolean> {
  return isLinux ? (await inspect(path)).holders.length === 1 : !(await isFree(path))
}

/** How many use it; `null` if the system does not tell. */
export async function numberOfUsers(paths: Paths): Promise<number | null> {
  return isLinux ? (await users(paths)).length : null
}

/** What the system tells of a number: itself, or `null`. */
export function told(number: number): number | null {
  return isLinux ? number : null
}
