import { existsSync, statSync } from 'node:fs'
import { LockError } from '../errors.ts'
import { LockFile } from '../lock-file.ts'
import type { LockMode } from '../lock-mode.ts'
import type { Request } from './request.ts'

/**
 * The steps of a wait. Each `yield` is a pause, and names what is waited for, `null` if only time helps. The driver of the
 * steps decides how to pause. It may give up by `return()`, which leaves nothing locked or open.
 */
export type Steps<Result> = Generator<LockFile | null, Result, void>

/** The file at which waiters for a lock stand in line. */
export const gatePath = (path: string): string => `${path}.gate`

/** One try, without a pause. `null`: somebody has the lock. */
export function tryOnce(request: Request): LockFile | null {
  const file = attempt(request, false)
  if (file.mode !== null) return file
  file.release()
  return null
}

/**
 * One try, without a pause: the file, open, and without a mode if somebody has the lock or, if `polite`, waits for it.
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

/** Locks `request.path` by tries, in line with others if that is wanted: the holder of the gate is the next to get the lock. */
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
        // Unlinked or replaced: a lock on what it was excludes nobody.
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
 * Opens the gate: readers for reading and writers for writing, so that `inspect` can tell what its holder waits for. `null`
 * if it cannot be made or opened: then only fairness is lost, exclusion never depends on it.
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

/** Those of the lock file: a user who cannot hold the lock must not hold the gate either. */
function permissionsOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : stats.mode & 0o666
}

/** Whether we have the gate, after one try. */
export function hasGate(gate: LockFile): boolean {
  return gate.mode !== null || gate.tryLock('exclusive')
}

/** Takes the gate without a pause; `null` if somebody has it or it cannot be made. */
export function tryGate(path: string): LockFile | null {
  const gate = openGate(path, 'exclusive')
  if (gate === null || hasGate(gate)) return gate
  gate.release()
  return null
}

/** When this thread last looked for a waiter, of which lock, in ms of the monotonic clock. */
const lastLook = { path: '', time: 0 }

/**
 * Whether this thread looked for a waiter, in vain, in the last half millisecond. To look costs as much as to lock, so a
 * quick succession of locks looks once in a while: a waiter is passed by for that long at most.
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
