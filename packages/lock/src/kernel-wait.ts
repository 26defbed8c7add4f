import { watch, type FSWatcher } from 'node:fs'
import { constants } from 'node:os'
import type { Native } from './binding/binding.ts'
import { attempt } from './contend.ts'
import { operationOf, unlock } from './flock.ts'
import type { LockFile } from './lock-file.ts'
import type { Patience } from './patience.ts'
import type { Request } from './request.ts'
import { threadState, type KernelWait } from './thread-state.ts'

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
      const error = file.mode === null ? await waitFor(native, file, request, patience) : 0
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

/** One wait. Gives 0 if the file is locked, else an errno; see {@link Native.wait}. */
async function waitFor(
  native: Native,
  file: LockFile,
  { path, mode, fair }: Request,
  patience: Patience,
): Promise<number> {
  const { waits } = threadState()
  let withdrawn = false
  let wait: KernelWait | undefined
  let callOff: (() => void) | undefined
  const error = await new Promise<number>((ended) => {
    const number = native.wait(file.fd, path, operationOf(mode), fair, ended)
    if (number < 0) return ended(-number)
    const cancel = (): void => void native.cancel(number, false)
    wait = {
      file,
      withdraw: () => {
        withdrawn = true
        native.cancel(number, true)
        // It may have been locked just before.
        unlock(file.fd)
      },
    }
    waits.add(wait)
    const forget = patience.onEnd(cancel)
    const unwatch = whenReplaced(file, cancel)
    callOff = () => {
      forget()
      unwatch()
    }
  })
  callOff?.()
  if (wait !== undefined) waits.delete(wait)
  return withdrawn ? EINTR : error
}

/**
 * Calls `leave` when the path leads to another file, on which a lock would count; in a short wait nobody looks. Gives how to
 * call that off.
 */
function whenReplaced(file: LockFile, leave: () => void): () => void {
  let watcher: FSWatcher | undefined
  const look = (): void => {
    if (!file.isCurrent()) leave()
  }
  const timer = setTimeout(() => {
    // Every change in a directory would be told.
    if (file.isDirectory) return
    try {
      watcher = watch(file.path, look).on('error', () => watcher?.close())
    } catch {
      // No watches left, or the file is gone.
    }
    look()
  }, untilWatching)
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
