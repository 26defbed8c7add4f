import { watch, type FSWatcher } from 'node:fs'
import { binding } from './binding/load-binding.ts'
import type { Blocked } from './contend.ts'
import { operationOf, unlock } from './flock.ts'
import type { LockFile } from './lock-file.ts'
import type { Patience } from './patience.ts'
import { threadState, type KernelWait } from './thread-state.ts'

/** How long to wait before also watching whether the file is replaced, in ms. */
const untilWatching = 1_000

/**
 * Waits in the kernel's queue, until the lock is ours or the patience is over. `false`: it is not, and may have to be waited
 * for in another way.
 */
export async function waitInKernel(
  { gate, file, mode }: Blocked,
  patience: Patience,
): Promise<boolean> {
  const { native } = binding(file.path)
  if (native === null) return false
  const { waits } = threadState()
  const tidy: (() => void)[] = []
  let withdrawn = false
  const error = await new Promise<number>((ended) => {
    const number = native.wait(gate?.fd ?? -1, file.fd, operationOf(mode), ended)
    if (number < 0) return ended(-number)
    const cancel = (): void => void native.cancel(number, false)
    const wait: KernelWait = {
      file,
      withdraw: () => {
        waits.delete(wait)
        withdrawn = true
        if (native.cancel(number, true) === 0) unlock(file.fd)
      },
    }
    waits.add(wait)
    tidy.push(patience.onEnd(cancel), whenReplaced(file, cancel), () => waits.delete(wait))
  })
  for (const each of tidy) each()
  if (error !== 0 || withdrawn) {
    patience.check()
    return false
  }
  file.mode = mode
  if (gate !== null) gate.mode = null
  patience.checkSignal()
  return true
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
