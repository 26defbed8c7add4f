import { watch, type FSWatcher } from 'node:fs'
import { constants } from 'node:os'
import type { Native } from './binding/binding.ts'
import { attempt } from './contend.ts'
import { operationOf, unlock } from './flock.ts'
import type { LockFile } from './lock-file.ts'
import type { Patience } from './patience.ts'
import type { Request } from './request.ts'
import { threadState } from './thread-state.ts'

const { EINTR, ESTALE } = constants.errno

/** How long to wait before also watching whether the file is replaced, in ms. */
const untilWatching = 1_000

/**
 * Waits in the kernel's queue, and gives the locked file. `null`: the lock has to be waited for in another way.
 *
 * `first` is the file if a try has opened it just now; it becomes ours.
 */
export async function waitInKernel(
  native: Native,
  request: Request,
  first: LockFile | null,
  patience: Patience,
): Promise<LockFile | null> {
  let file = first
  try {
    for (;;) {
      patience.check()
      file ??= attempt(request, true)
      const error =
        file.mode === null ? await new KernelWait(native, file, request).ends(patience) : 0
      if (error === 0) {
        file.mode = request.mode
        patience.checkSignal()
        const locked = file
        file = null
        return locked
      }
      file.release()
      file = null
      if (error !== EINTR && error !== ESTALE) return null
    }
  } finally {
    file?.release()
  }
}

/** A wait in the kernel's queue on behalf of this thread. */
export class KernelWait {
  readonly file: LockFile
  readonly #native: Native
  readonly #request: Request
  #number = 0
  #withdrawn = false
  #watcher: FSWatcher | undefined

  constructor(native: Native, file: LockFile, request: Request) {
    this.#native = native
    this.file = file
    this.#request = request
  }

  /** Waits. Gives 0 if the file is locked, else an errno; see {@link Native.wait}. */
  ends(patience: Patience): Promise<number> {
    const { path, mode, fair } = this.#request
    return new Promise((resolve) => {
      let callOff: (() => void) | undefined
      let timer: NodeJS.Timeout | undefined
      this.#number = this.#native.wait(this.file.fd, path, operationOf(mode), fair, (error) => {
        callOff?.()
        clearTimeout(timer)
        this.#watcher?.close()
        threadState().waits.delete(this)
        resolve(this.#withdrawn ? EINTR : error)
      })
      if (this.#number < 0) return resolve(-this.#number)
      threadState().waits.add(this)
      callOff = patience.onEnd(() => this.#cancel())
      timer = setTimeout(() => this.#watch(), untilWatching)
    })
  }

  /** Leaves the queue and gives back what it may have got. The wait begins anew when the event loop runs. */
  withdraw(): void {
    this.#withdrawn = true
    this.#native.cancel(this.#number, true)
    // It may have been locked just before.
    unlock(this.file.fd)
  }

  #cancel(): void {
    this.#native.cancel(this.#number, false)
  }

  /** Ends when the path leads to another file, on which a lock would count; in a short wait nobody looks. */
  #watch(): void {
    // Every change in a directory would be told.
    if (this.file.isDirectory) return
    try {
      this.#watcher = watch(this.file.path, () => this.#look()).on('error', () =>
        this.#watcher?.close(),
      )
    } catch {
      // No watches left, or the file is gone.
    }
    this.#look()
  }

  #look(): void {
    if (!this.file.isCurrent()) this.#cancel()
  }
}
