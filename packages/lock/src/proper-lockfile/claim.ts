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

/** The content of every lock file of ours. It distinguishes them from other files of such a name, for example `yarn.lock`. */
const content = Buffer.from('locked by flock(2): see @howdah/lock/proper-lockfile\n')

/**
 * The modification time of our lock files. proper-lockfile considers a lock with a future time fresh, so it reports the file
 * as locked while our lock file exists.
 */
const farFuture = Date.UTC(2100, 0) / 1000

/**
 * What was found at the path of a lock file: the lock, which is now ours; `'held'`, somebody has it; `foreign`, something
 * that this package has not made; or `'again'`, another process is looking at the file, making it or removing it, so try
 * again at once.
 */
export type Found = Lock | 'held' | { readonly foreign: 'file' | 'other' } | 'again'

/**
 * Tries once to make and lock a lock file, or to lock one that a dead process has left.
 *
 * The file appears at the path by link(2), complete and locked, so nobody sees an unfinished lock file. It is removed only
 * under its lock. Throws a `LockError`, or an error of the operating system.
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
  // A process that only looks has a shared lock for an instant. If a shared lock can be had, nobody holds the lock file.
  const looked = tryLock(path, 'shared')
  if (looked === 'held') return 'held'
  looked?.release()
  return 'again'
}

/** Whether somebody holds the lock file, without taking it; `null` if the file was not made by this package. */
export function isHeld(path: string): boolean | null {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return null
  const taken = tryLock(path, 'shared')
  if (taken === null) return false
  if (taken === 'held') return true
  const ours = isOurs(taken)
  taken.release()
  return ours ? false : null
}

/** Whether the path leads to the locked file; `false` if the file was removed or replaced. */
export function leadsTo(path: string, { fd }: Lock): boolean {
  const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  const locked = fstatSync(fd, { bigint: true })
  return now !== undefined && now.ino === locked.ino && now.dev === locked.dev
}

/**
 * Makes the lock file. It is first written under another name, which is always the same, so that killed processes leave at
 * most one such file, which the next process uses.
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

/** Writes a lock file. `false`: the file was left by another user, and has to be made anew. */
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

/** Gives a file another name. `false`: the name is taken. Removes the file before it throws. */
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

/** The errors of link(2) on file systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

function draftOf(path: string): string {
  const name = basename(path)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16)
  // The name is short enough for any file system.
  return join(dirname(path), `.${name.slice(0, 64)}.${hash}.draft`)
}

/** Tries to lock a file. `'held'`: somebody has it. `null`: the file is gone. */
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
