import { acquire } from './acquire.ts'
import type { Lock } from '../lock.ts'
import { absolute, namesDirectory, type WaitOptions } from './request.ts'

/** A mutual exclusion among processes: a file, locked exclusively. The file is made when it is first locked. */
export class Mutex {
  /** The absolute path of the lock file. */
  readonly path: string
  readonly #given: string

  /** Throws a `LockError` for what is no path. */
  constructor(path: string) {
    this.path = absolute(path)
    // With the slash at its end, which says that it is a directory.
    this.#given = namesDirectory(path) ? `${this.path}/` : this.path
  }

  /** Waits for the mutex. Releasing or disposing the lock frees it. Rejects as `acquire` does. */
  async lock(options: WaitOptions = {}): Promise<Lock> {
    return acquire(this.#given, options)
  }

  /** Runs `action` while holding the mutex, and frees it also when that throws. Rejects as `acquire` and `action` do. */
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
