import { existsSync, statSync } from 'node:fs'
import { LockError } from '../errors.ts'
import { LockFile } from '../lock-file.ts'
import type { LockMode } from '../lock-mode.ts'
import type { Request } from './request.ts'

/**
 * The steps of a wait. Each `yield` is a pause, and gives the file that is waited for, or `null` if nothing but time is. The
 * driver of the steps decides how to pause. It may give up by `return()`, which leaves nothing locked or open.
 */
export type Steps<Result> = Generator<LockFile | null, Result, void>

/** The file at which processes wait in line for a lock. */
export const gatePath = (path: string): string => `${path}.gate`

/** Tries once, without a pause. `null`: somebody has the lock. */
export function tryOnce(request: Request): LockFile | null {
  const file = attempt(request, false)
  if (file.mode !== null) return file
  file.release()
  return null
}

/**
 * Tries once, without a pause. Gives the open file; its mode is `null` if somebody has the lock or, if `polite`, waits for
 * it.
 */
export function attempt(request: Request, polite: boolean): LockFile {
  const inLine = polite && request.fair && !lookedJustNow(request.path)
  const file = LockFile.take(request, request.mode, inLine) ?? attemptStepwise(request, inLine)
  if (file.mode === null) lastLook.path = ''
  return file
}

function attemptStepwise(request: Request, inLine: boolean): LockFile {
  for (;;) {
    const file = LockFile.open(request)
    try {
      if (inLine && !file.isDirectory && somebodyWaits(request.path)) return file
      if (!file.tryLock(request.mode) || file.isCurrent()) return file
    } catch (error) {
      file.release()
      throw error
    }
    file.release()
  }
}

/**
 * Locks `request.path` by polling. If `fair`, it waits in line with others: the holder of the gate is the next to get the
 * lock.
 */
export function* contend(request: Request): Steps<LockFile> {
  const { path, mode, fair } = request
  let gate: LockFile | null | undefined
  let file: LockFile | null = null
  try {
    for (let replaced = 0; ;) {
      file ??= LockFile.open(request)
      gate ??= fair && !file.isDirectory ? openGate(path, mode) : null
      if (file.mode === null && (gate === null || hasGate(gate))) file.tryLock(mode)
      if (!file.isCurrent()) {
        // The file was unlinked or replaced, so a lock on it excludes nobody.
        file.release()
        file = null
        if (++replaced % 16 === 0) yield null
      } else if (file.mode === null) {
        yield file
      } else {
        const locked = file
        file = null
        return locked
      }
    }
  } finally {
    file?.release()
    gate?.release()
  }
}

/**
 * Opens the gate. Readers open it for reading and writers for writing, so that `inspect` can tell which mode the gate's
 * holder waits for. Gives `null` if the gate cannot be made or opened; only fairness is lost then, because exclusion does not
 * depend on the gate.
 */
export function openGate(path: string, mode: LockMode): LockFile | null {
  try {
    const permissions = permissionsOf(path)
    const readOnly = mode === 'shared'
    return LockFile.open({ path: gatePath(path), create: true, permissions, readOnly })
  } catch (error) {
    if (error instanceof LockError) return null
    throw error
  }
}

/** The gate has the permissions of the lock file, because a user who cannot hold the lock must not hold the gate either. */
function permissionsOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : stats.mode & 0o666
}

/** Tries once to take the gate, and gives whether we have it. */
export function hasGate(gate: LockFile): boolean {
  return gate.mode !== null || gate.tryLock('exclusive')
}

/** Takes the gate without a pause; gives `null` if somebody has it or it cannot be made. */
export function tryGate(path: string): LockFile | null {
  const gate = openGate(path, 'exclusive')
  if (gate === null || hasGate(gate)) return gate
  gate.release()
  return null
}

/** The lock at which this thread last looked for a waiter, and when, in ms of the monotonic clock. */
const lastLook = { path: '', time: 0 }

/**
 * Whether this thread looked for a waiter in the last half millisecond and found none. Looking costs as much as locking, so a
 * quick succession of locks does not look each time. A waiter is overtaken for half a millisecond at most.
 */
function lookedJustNow(path: string): boolean {
  const now = performance.now()
  if (lastLook.path === path && now - lastLook.time < 0.5) return true
  lastLook.path = path
  lastLook.time = now
  return false
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
    gate?.release()
  }
}
