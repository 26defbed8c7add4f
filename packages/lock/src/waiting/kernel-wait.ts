import { watch, type FSWatcher } from 'node:fs'
import { constants } from 'node:os'
import type { Native } from '../binding/binding.ts'
import { operationOf, unlock } from '../flock.ts'
import type { LockFile } from '../lock-file.ts'
import type { Patience } from './patience.ts'
import type { Request } from './request.ts'
import { threadState, type KernelWait as Withdrawable } from './thread-state.ts'

const { EINTR, ESTALE } = constants.errno

/** How often to look for long waits, in ms. The file of a wait that is seen twice is watched. */
const looking = 500

/** Whether to wait again after this errno: the wait was interrupted, or the path leads to another file now. */
export const mayWaitAgain = (error: number): boolean => error === EINTR || error === ESTALE

/**
 * Waits in the kernel's queue for the lock on an open file. Gives 0 if it is locked, else an errno; see {@link Native.wait}.
 */
export function waitInKernel(
  native: Native,
  file: LockFile,
  request: Request,
  patience: Patience,
): Promise<number> {
  return new Promise((resolve) => new KernelWait(native, file).begin(request, patience, resolve))
}

/** A wait in the kernel's queue on behalf of this thread. */
class KernelWait implements Withdrawable {
  readonly file: LockFile
  readonly #native: Native
  #number = 0
  #withdrawn = false
  /** How often this wait was found unfinished. */
  #looks = 0
  #watcher: FSWatcher | undefined
  #callOff: (() => void) | undefined

  constructor(native: Native, file: LockFile) {
    this.#native = native
    this.file = file
  }

  begin({ path, mode, fair }: Request, patience: Patience, ended: (error: number) => void): void {
    const number = this.#native.wait(this.file.fd, path, operationOf(mode), fair, (error) => {
      this.#tidy()
      ended(this.#withdrawn ? EINTR : error)
    })
    if (number < 0) return ended(-number)
    this.#number = number
    this.#callOff = patience.onEnd(() => this.#cancel())
    threadState().waits.add(this)
    planLook()
  }

  /** Leaves the queue, and releases the lock if it was just acquired. The wait begins anew when the event loop runs. */
  withdraw(): void {
    this.#withdrawn = true
    this.#native.cancel(this.#number, true)
    // The wait may have acquired the lock just before.
    unlock(this.file.fd)
  }

  /**
   * Counts a look. If the wait takes long, it starts to watch whether the path leads to another file. Gives whether the wait
   * takes long.
   */
  look(): boolean {
    this.#looks++
    // A directory is not watched, because every change inside it would wake us.
    if (this.#looks !== 2 || this.file.isDirectory) return this.#looks > 1
    const leave = (): void => {
      if (!this.file.isCurrent()) this.#cancel()
    }
    try {
      this.#watcher = watch(this.file.path, leave).on('error', () => this.#watcher?.close())
    } catch {
      // The system has no watches left, or the file is gone.
    }
    leave()
    return true
  }

  #cancel(): void {
    this.#native.cancel(this.#number, false)
  }

  #tidy(): void {
    threadState().waits.delete(this)
    this.#callOff?.()
    this.#watcher?.close()
  }
}

let planned = false

/** Starts one timer for all waits, because most waits are short. */
function planLook(): void {
  if (planned) return
  planned = true
  setTimeout(lookAtAll, looking).unref()
}

function lookAtAll(): void {
  planned = false
  let short = 0
  for (const wait of threadState().waits) if (!wait.look()) short++
  if (short > 0) planLook()
}
