import { errno } from '@howdah/durable'
import type { Liveness } from './process/process-identity.ts'
import type { LockMode } from './lock-mode.ts'

/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type LockErrorCode =
  | 'ERR_LOCK_BINDING'
  | 'ERR_LOCK_DEADLOCK'
  | 'ERR_LOCK_HELD'
  | 'ERR_LOCK_IO'
  | 'ERR_LOCK_LOST'
  | 'ERR_LOCK_NOT_FOUND'
  | 'ERR_LOCK_NO_SPACE'
  | 'ERR_LOCK_OPTION'
  | 'ERR_LOCK_PERMISSION'
  | 'ERR_LOCK_RELEASED'
  | 'ERR_LOCK_STALE_BREAK_REFUSED'
  | 'ERR_LOCK_SYMLINK'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_LOCK_TOO_MANY_FILES'
  | 'ERR_LOCK_UNSUPPORTED'

/** Who holds the lock that we did not get. */
export interface LockHolder {
  /** The process id; 0 if nothing says which process holds the lock. */
  readonly pid: number
  readonly liveness: Liveness
}

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
type Fields = Omit<LockError, keyof Error | 'code' | 'path'>

/** The class of all errors of this package. An error has a permanent code, the path, and a message that ends in a remedy. */
export class LockError extends Error {
  override readonly name = 'LockError'
  readonly code: LockErrorCode
  /** The path that was to be locked, read or written. */
  readonly path: string
  /** Who holds the lock, if that is known. */
  declare readonly holder?: LockHolder | undefined
  /**
   * `ERR_LOCK_HELD`, `ERR_LOCK_STALE_BREAK_REFUSED`: the holder's pid from the pidfile; 0 if the pidfile is missing or
   * invalid.
   */
  declare readonly pid?: number | undefined
  /** `ERR_LOCK_TIMEOUT`: the timeout in ms. */
  declare readonly timeout?: number | undefined
  /** `ERR_LOCK_BINDING`: what is wrong with the bindings, without the path. */
  declare readonly problem?: string | undefined
  /** `ERR_LOCK_BINDING`: what to do about it. */
  declare readonly remedy?: string | undefined

  constructor(
    code: LockErrorCode,
    path: string,
    message: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
    Object.assign(this, fields)
  }
}

/** The lock was not acquired within `timeout` milliseconds (0: at the first try). */
export function timedOut(
  path: string,
  mode: LockMode,
  timeout: number,
  holder?: LockHolder,
): LockError {
  const waited = timeout === 0 ? 'at once' : `within ${timeout} ms`
  return new LockError(
    'ERR_LOCK_TIMEOUT',
    path,
    `the ${mode} lock on ${path} was not acquired ${waited}${heldBy(holder)}; wait longer, or end that process`,
    { holder, timeout },
  )
}

/** Another process has locked the data directory. */
export function dataDirHeld(path: string, dataDir: string, holder: LockHolder): LockError {
  return new LockError(
    'ERR_LOCK_HELD',
    path,
    `the data directory ${dataDir} is locked${heldBy(holder)}; stop that process first`,
    { holder, pid: holder.pid },
  )
}

/** The lock was not broken, because the named holder lives or may live, or because another process has the lock. */
export function notStale(
  path: string,
  dataDir: string,
  holder: LockHolder,
  why: string,
): LockError {
  return new LockError(
    'ERR_LOCK_STALE_BREAK_REFUSED',
    path,
    `the lock on the data directory ${dataDir} is not stale: ${why}; stop that process first`,
    { holder, pid: holder.pid },
  )
}

/** The wait could never end, because the holder waits for us. */
export function deadlock(path: string, why: string, remedy: string): LockError {
  return new LockError(
    'ERR_LOCK_DEADLOCK',
    path,
    `waiting for the lock on ${path} would never end: ${why}; ${remedy}`,
  )
}

/** The lock is lost: flock(2) released it to convert it to another mode, and another process took it in between. */
export function lockLost(path: string, doing: string): LockError {
  return new LockError(
    'ERR_LOCK_LOST',
    path,
    `the lock on ${path} was lost while it was being ${doing}, and is released; acquire it again and read again what it guards`,
  )
}

/** The lock was released before. */
export function lockReleased(path: string, what: string): LockError {
  return new LockError(
    'ERR_LOCK_RELEASED',
    path,
    `${what} needs the lock on ${path}, which is released; acquire it again`,
  )
}

/** flock(2) cannot be called: there is no binding for this platform, or it cannot be loaded. */
export function noBinding(
  path: string,
  problem: string,
  remedy: string,
  cause?: unknown,
): LockError {
  return new LockError(
    'ERR_LOCK_BINDING',
    path,
    `cannot lock ${path || 'anything'}: ${problem}; ${remedy}`,
    { cause, problem, remedy },
  )
}

const kinds: Record<string, [LockErrorCode, string]> = {
  ENOENT: ['ERR_LOCK_NOT_FOUND', 'it or its parent directory does not exist; create that first'],
  ENOTDIR: ['ERR_LOCK_NOT_FOUND', 'a part of the path is not a directory; correct the path'],
  ELOOP: ['ERR_LOCK_SYMLINK', 'it is a symbolic link; give the path that it leads to'],
  EACCES: ['ERR_LOCK_PERMISSION', 'this user may not; change the mode or the owner'],
  EPERM: ['ERR_LOCK_PERMISSION', 'this user may not; change the mode or the owner'],
  EROFS: ['ERR_LOCK_PERMISSION', 'the file system is read-only; choose a path elsewhere'],
  EMFILE: [
    'ERR_LOCK_TOO_MANY_FILES',
    'this process has too many open files; close some, or raise ulimit -n',
  ],
  ENFILE: [
    'ERR_LOCK_TOO_MANY_FILES',
    'this machine has too many open files; close some, or raise fs.file-max',
  ],
  ENOSPC: ['ERR_LOCK_NO_SPACE', 'the disk is full; make room'],
  EDQUOT: ['ERR_LOCK_NO_SPACE', 'the disk quota is used up; make room'],
  EBUSY: [
    'ERR_LOCK_IO',
    'it is a mount point, such as a single file mounted into a container, which cannot be replaced; mount its directory instead',
  ],
  EISDIR: ['ERR_LOCK_IO', 'it is a directory; give the path of a file'],
  ENAMETOOLONG: ['ERR_LOCK_IO', 'its name or path is too long; shorten it'],
  ENXIO: ['ERR_LOCK_IO', 'it is a socket or another special file; give the path of a file'],
}

/**
 * Wraps an error of the operating system in a `LockError` with the path, a code and a remedy. A `LockError` is given back as
 * it is.
 */
export function fileError(cause: unknown, path: string, doing: string): LockError {
  if (cause instanceof LockError) return cause
  const refusal = errno(cause)
  if (refusal === 'ERR_INVALID_ARG_VALUE' || refusal === 'ERR_INVALID_ARG_TYPE') {
    return new LockError(
      'ERR_LOCK_OPTION',
      path,
      `cannot ${doing} ${JSON.stringify(path)}: not a path`,
      { cause },
    )
  }
  const [code, why] = kinds[refusal] ?? ['ERR_LOCK_IO', 'see the cause']
  const message = `cannot ${doing} ${path}: ${why}${refusal && ` (${refusal})`}`
  return new LockError(code, path, message, { cause })
}

function heldBy(holder: LockHolder | undefined): string {
  if (holder === undefined) return ''
  if (holder.pid === 0) return ': another process, which did not say its pid, has it'
  const state = { alive: '', dead: ', which is dead', unknown: ', which cannot be seen from here' }
  return `: process ${holder.pid}${state[holder.liveness]} has it`
}
