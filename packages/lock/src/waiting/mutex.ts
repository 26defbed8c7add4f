import { acquire } from './acquire.ts'
import type { Lock } from '../lock.ts'
import { absolute, namesDirectory, type WaitOptions } from './request.ts'

/** A mutex between processes: a file that is locked exclusively. The file is made at the first lock. */
export class Mutex {
  /** The absolute path of the lock file. */
  readonly path: string
  readonly #given: string

  /** Throws a `LockError` if the argument is not a path. */
  constructor(path: string) {
    this.path = absolute(path)
    // The path keeps the slash at its end, which says that it is a directory.
    this.#given = namesDirectory(path) ? `${this.path}/` : this.path
  }

  /** Waits for the mutex. To free the mutex, release or dispose of the lock. Rejects as `acquire` does. */
  async lock(options: WaitOptions = {}): Promise<Lock> {
    return acquire(this.#given, options)
  }

  /**
   * Runs `action` while holding the mutex, and frees the mutex even if `action` throws. Rejects as `acquire` and `action`
   * do.
   */
  async run<Result>(
    action: () => Result | Promise<Result>,
    options: WaitOptions = {},
  ): Promise<Result> {
    const lock = await acquire(this.#given, options)
    try {
      return await action()
    } finally {
      lock.release()
    }
  }
}
