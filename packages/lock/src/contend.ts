import { existsSync } from 'node:fs'
import { LockError } from './errors.ts'
import { LockFile, isDirectory, type Opening } from './lock-file.ts'
import type { LockMode } from './lock-mode.ts'
import type { Request } from './request.ts'

/**
 * The steps of a wait. Each `yield` is a pause, and names the file whose release is waited for; whoever drives the
 * steps decides how to pause, and may give up by `return()`, which leaves nothing locked or open.
 */
export type Steps<Result> = Generator<LockFile, Result, void>

/** Where those who wait for a lock wait in line. */
export const gatePath = (path: string): string => `${path}.gate`

/**
 * One try, without a pause. `null`: somebody has the lock, or, where `polite`, somebody waits for it.
 */
export function tryOnce(request: Request, polite: boolean): LockFile | null {
  for (;;) {
    let file: LockFile | null = LockFile.open(request)
    try {
      if (polite && request.fair && !file.isDirectory && somebodyWaits(request.path)) return null
      if (!file.tryLock(request.mode)) return null
      if (file.isCurrent()) {
        const locked = file
        file = null
        return locked
      }
    } finally {
      file?.release({ wake: false })
    }
  }
}

/** Locks `request.path`, in line with others where that is wanted. */
export function* contend(request: Request): Steps<LockFile> {
  const gate =
    request.fair && !isDirectory(request.path) ? yield* passGate(request.path, request.mode) : null
  try {
    return yield* obtain(request, request.mode)
  } finally {
    gate?.release()
  }
}

/**
 * Takes the gate: whoever has it is the next to get the lock.
 *
 * Readers open it for reading and writers for writing, so that `inspect` can tell what its holder waits for. `null` where
 * it cannot be made or opened: then only fairness is lost, exclusion never depends on it.
 */
export function* passGate(path: string, mode: LockMode): Steps<LockFile | null> {
  try {
    return yield* obtain(
      { path: gatePath(path), create: true, readOnly: mode === 'shared' },
      'exclusive',
    )
  } catch (error) {
    if (error instanceof LockError) return null
    throw error
  }
}

/** Takes the gate without a pause; `null` where somebody has it or it cannot be made. */
export function tryGate(path: string): LockFile | null {
  const steps = passGate(path, 'exclusive')
  const step = steps.next()
  steps.return(null)
  return step.done === true ? step.value : null
}

/** Locks a file that the path still leads to when it is locked. */
function* obtain(opening: Opening, mode: LockMode): Steps<LockFile> {
  let file: LockFile | null = LockFile.open(opening)
  try {
    for (let replaced = 0; ;) {
      const locked: boolean = file.tryLock(mode)
      if (file.isCurrent()) {
        if (locked) {
          const result: LockFile = file
          file = null
          return result
        }
        yield file
      } else {
        // Unlinked or replaced: a lock on what it was excludes nobody.
        file.release({ wake: false })
        file = LockFile.open(opening)
        if (++replaced % 16 === 0) yield file
      }
    }
  } finally {
    file?.release({ wake: false })
  }
}

/** Whether somebody has the gate. */
function somebodyWaits(path: string): boolean {
  if (!existsSync(gatePath(path))) return false
  let gate: LockFile | undefined
  try {
    gate = LockFile.open({ path: gatePath(path), create: false, readOnly: true })
    return !gate.tryLock('shared')
  } catch {
    return false
  } finally {
    gate?.release({ wake: false })
  }
}
