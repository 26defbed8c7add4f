import {
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { errno, temporaryName } from '@howdah/durable'
import { acquireSync } from '../acquire.ts'
import { LockError, LockTimeoutError, type LockHolder } from '../errors.ts'
import type { LockMode } from '../lock-mode.ts'
import type { Lock } from '../lock.ts'

/** What a lock file holds, always whole: by it a file that is ours is told from any other of that name, such as `yarn.lock`. */
const content = Buffer.from('locked by flock(2): see @howdah/lock/proper-lockfile\n')

/**
 * When lock files seem to have been changed. proper-lockfile takes a lock file whose time is in the future for fresh, so it says
 * that the file is locked for as long as ours is there.
 */
const farFuture = Date.UTC(2100, 0) / 1000

/** What was found at the path of a lock file: the lock; who has it; or something that this package has not made. */
export type Found =
  | { readonly lock: Lock }
  | { readonly holder: LockHolder | undefined }
  | { readonly foreign: 'file' | 'other' }

/**
 * Makes and locks a lock file, or locks one that a dead process has left, in one try.
 *
 * A file appears at the path by link(2), whole and locked, so nobody sees one that is neither ours nor somebody's. It is
 * removed only under its lock. Throws a `LockError`, or an error of the operating system.
 */
export function claim(path: string): Found {
  for (;;) {
    const found = present(path) ? lockPresent(path) : make(path)
    if (found !== null) return found
  }
}

/** Whether somebody holds the lock file, without taking it; `null` if it is not ours to say. */
export function isHeld(path: string): boolean | null {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return null
  const taken = tryLock(path, 'shared')
  if (taken === null) return false
  if ('holder' in taken) return true
  const ours = isOurs(taken.lock)
  taken.lock.release()
  return ours ? false : null
}

/** Whether the path leads to the file that is locked; `false` if it was removed or replaced. */
export function leadsTo(path: string, { fd }: Lock): boolean {
  const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  const locked = fstatSync(fd, { bigint: true })
  return now !== undefined && now.ino === locked.ino && now.dev === locked.dev
}

function present(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Makes the lock file; `null` if something has come between. */
function make(path: string): Found | null {
  const temporary = temporaryName(path)
  const lock = acquireSync(temporary, { timeout: 0, fair: false })
  let made = false
  try {
    writeSync(lock.fd, content)
    futimesSync(lock.fd, farFuture, farFuture)
    linkSync(temporary, path)
    made = true
    return { lock }
  } catch (error) {
    if (errno(error) === 'EEXIST') return null
    throw error
  } finally {
    unlinkSync(temporary)
    if (!made) lock.release()
  }
}

/** Locks what is at the path, if it is a lock file of ours; `null` if it is gone. */
function lockPresent(path: string): Found | null {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return null
  if (!stats.isFile()) return { foreign: 'other' }
  // Somebody who only looks is gone at once.
  for (let looks = 0; looks < 100; looks++) {
    const taken = tryLock(path, 'exclusive')
    if (taken === null) return null
    if ('lock' in taken) {
      if (isOurs(taken.lock)) return taken
      taken.lock.release()
      return { foreign: 'file' }
    }
    const looked = tryLock(path, 'shared')
    if (looked === null) return null
    if ('holder' in looked) return looked
    looked.lock.release()
  }
  return { holder: undefined }
}

/** Tries to lock a file that is there; `null`: it is gone. */
function tryLock(
  path: string,
  mode: LockMode,
): { readonly lock: Lock } | { readonly holder: LockHolder | undefined } | null {
  try {
    return { lock: acquireSync(path, { mode, create: false, timeout: 0, fair: false }) }
  } catch (error) {
    if (error instanceof LockTimeoutError) return { holder: error.holder }
    if (error instanceof LockError && error.code === 'ERR_LOCK_NOT_FOUND') return null
    throw error
  }
}

function isOurs({ fd }: Lock): boolean {
  if (!fstatSync(fd).isFile()) return false
  const found = Buffer.alloc(content.length + 1)
  return content.equals(found.subarray(0, readSync(fd, found, 0, found.length, 0)))
}
