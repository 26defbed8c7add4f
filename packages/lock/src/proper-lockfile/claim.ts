import { createHash } from 'node:crypto'
import {
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errno } from '@howdah/durable'
import { tryOnce } from '../waiting/contend.ts'
import { request } from '../waiting/request.ts'
import { LockError, fileError } from '../errors.ts'
import type { LockMode } from '../lock-mode.ts'
import { Lock } from '../lock.ts'

/** What a lock file holds, always whole: by it a file that is ours is told from any other of that name, such as `yarn.lock`. */
const content = Buffer.from('locked by flock(2): see @howdah/lock/proper-lockfile\n')

/**
 * When lock files seem to have been changed. proper-lockfile takes a lock file whose time is in the future for fresh, so it says
 * that the file is locked for as long as ours is there.
 */
const farFuture = Date.UTC(2100, 0) / 1000

/**
 * What was found at the path of a lock file: the lock, which is now ours; `'held'`, somebody has it; or something that this
 * package has not made. `'again'`: somebody is looking at it, making or removing it at this moment, which is over at once.
 */
export type Found = Lock | 'held' | { readonly foreign: 'file' | 'other' } | 'again'

/**
 * Makes and locks a lock file, or locks one that a dead process has left, in one try.
 *
 * A file appears at the path by link(2), whole and locked, so nobody sees one that is neither ours nor somebody's. It is
 * removed only under its lock. Throws a `LockError`, or an error of the operating system.
 */
export function claim(path: string): Found {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return make(path)
  if (!stats.isFile()) return { foreign: 'other' }
  const taken = tryLock(path, 'exclusive')
  if (taken === null) return 'again'
  if (taken !== 'held') {
    if (isOurs(taken)) return taken
    taken.release()
    return { foreign: 'file' }
  }
  // A process that only looks does not hold it.
  const looked = tryLock(path, 'shared')
  if (looked === 'held') return 'held'
  looked?.release()
  return 'again'
}

/** Whether somebody holds the lock file, without taking it; `null` if it is not ours to say. */
export function isHeld(path: string): boolean | null {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return null
  const taken = tryLock(path, 'shared')
  if (taken === null) return false
  if (taken === 'held') return true
  const ours = isOurs(taken)
  taken.release()
  return ours ? false : null
}

/** Whether the path leads to the file that is locked; `false` if it was removed or replaced. */
export function leadsTo(path: string, { fd }: Lock): boolean {
  const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  const locked = fstatSync(fd, { bigint: true })
  return now !== undefined && now.ino === locked.ino && now.dev === locked.dev
}

/**
 * Makes the lock file. It is written under another name first, always the same one, so that a process that is killed
 * meanwhile leaves at most one file, which the next one uses.
 */
function make(path: string): Found {
  const draft = draftOf(path)
  const lock = tryLock(draft, 'exclusive', true)
  if (lock === null || lock === 'held') return 'again'
  let made = false
  try {
    if (!isOurs(lock) && fstatSync(lock.fd).size > 0)
      throw new Error(`${draft} has other content; remove it`)
    made = write(lock) && link(draft, path)
    unlinkSync(draft)
    return made ? lock : 'again'
  } finally {
    if (!made) lock.release()
  }
}

/** Writes a lock file. `false`: another user has left it, and it is to be made anew. */
function write({ fd }: Lock): boolean {
  try {
    writeSync(fd, content, 0, content.length, 0)
    futimesSync(fd, farFuture, farFuture)
    return true
  } catch (error) {
    if (errno(error) === 'EBADF' || errno(error) === 'EPERM') return false
    throw error
  }
}

/** Gives a file another name. `false`: that is taken. If it fails the file is removed. */
function link(path: string, name: string): boolean {
  try {
    linkSync(path, name)
    return true
  } catch (error) {
    const code = errno(error)
    if (code === 'EEXIST') return false
    unlinkSync(path)
    if (!withoutLinks.has(code)) throw fileError(error, name, 'make the lock file')
    const why = 'its file system has no hard links; give lockfilePath on another one'
    throw new LockError('ERR_LOCK_UNSUPPORTED', name, `cannot make the lock file ${name}: ${why}`, {
      cause: error,
    })
  }
}

/** What link(2) says if there are no hard links. */
const withoutLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

function draftOf(path: string): string {
  const name = basename(path)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16)
  // Short enough for any file system.
  return join(dirname(path), `.${name.slice(0, 64)}.${hash}.draft`)
}

/** Tries to lock a file; `'held'`: somebody has it; `null`: it is gone. */
function tryLock(path: string, mode: LockMode, create = false): Lock | 'held' | null {
  try {
    const file = tryOnce(request(path, { mode, create }))
    return file === null ? 'held' : new Lock(file, false)
  } catch (error) {
    if (!create && error instanceof LockError && error.code === 'ERR_LOCK_NOT_FOUND') return null
    throw error
  }
}

function isOurs({ fd }: Lock): boolean {
  if (!fstatSync(fd).isFile()) return false
  const found = Buffer.alloc(content.length + 1)
  return content.equals(found.subarray(0, readSync(fd, found, 0, found.length, 0)))
}
