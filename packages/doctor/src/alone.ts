import { setTimeout as sleep } from 'node:timers/promises'
import { type Lock, tryAcquire } from '@howdah/lock'
import { coordinationPaths, type DataDirectory } from '@howdah/data-directory'

/** Why a cluster that others use is left alone. */
export const busy = 'somebody uses or changes it just now; try again later'

/** While this is held, nobody else can use, start, stop, make or remove the cluster. */
export class Alone implements Disposable {
  /** The lock by which the directory is reached, whatever another user puts at its path. */
  readonly change: Lock
  readonly #locks: readonly Lock[]

  private constructor(change: Lock, locks: readonly Lock[]) {
    this.change = change
    this.#locks = locks
  }

  /**
   * Takes the change lock and then the use lock of an existing data directory, without waiting; `null` if somebody has one of
   * them. Unlike a user of the cluster, it starts no watchdog.
   */
  static async try(directory: DataDirectory): Promise<Alone | null> {
    const { change, use } = coordinationPaths(directory)
    const locks: Lock[] = []
    try {
      for (const path of [change, use]) {
        if (!(await directory.has(path))) continue
        const lock = await tryAcquire(path, { create: false })
        if (lock === null) return null
        locks.push(lock)
      }
      const [first] = locks
      return first === undefined ? null : new Alone(first, locks.splice(0))
    } finally {
      for (const lock of locks) lock.release()
    }
  }

  /**
   * Like {@link try}, but tries for two seconds, because some processes, such as an ending watchdog, have these locks only
   * for an instant.
   */
  static async with(directory: DataDirectory): Promise<Alone | null> {
    for (let left = 40; ; left -= 1) {
      const alone = await Alone.try(directory)
      if (alone !== null || left === 0) return alone
      await sleep(50)
    }
  }

  [Symbol.dispose](): void {
    for (const lock of this.#locks.toReversed()) lock.release()
  }
}

/** Whether a watchdog runs, which will stop the server or throw the cluster away. */
export async function isWatched(directory: DataDirectory): Promise<boolean> {
  const { watchdog } = coordinationPaths(directory)
  if (!(await directory.has(watchdog))) return false
  const lock = await tryAcquire(watchdog, { create: false })
  lock?.release()
  return lock === null
}
