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
  /** The process id; 0 where somebody holds the lock and nothing says who. */
  readonly pid: number
  readonly liveness: Liveness
}

interface Details {
  cause?: unknown
  holder?: LockHolder | undefined
}

/** What every error of this package derives from. */
export class LockError extends Error {
  override readonly name: string = 'LockError'
  readonly code: LockErrorCode
  /** The path that was to be locked, read or written. */
  readonly path: string
  /** Who holds the lock, where that is known. */
  readonly holder?: LockHolder

  constructor(code: LockErrorCode, path: string, message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.path = path
    if (details.holder !== undefined) this.holder = details.holder
  }
}

/** The lock was not had within `timeout` milliseconds (0: at the first try). */
export class LockTimeoutError extends LockError {
  override readonly name = 'LockTimeoutError'
  /** How long was waited, in milliseconds. */
  readonly timeout: number

  constructor(path: string, mode: LockMode, timeout: number, holder?: LockHolder) {
    const waited = timeout === 0 ? 'at once' : `within ${timeout} ms`
    super(
      'ERR_LOCK_TIMEOUT',
      path,
      `the ${mode} lock on ${path} was not to be had ${waited}${heldBy(holder)}; wait longer, or end that process`,
      { holder },
    )
    this.timeout = timeout
  }
}

/** Another process has the data directory. */
export class LockHeldError extends LockError {
  override readonly name = 'LockHeldError'
  /** The holder's pid as its pidfile has it; 0 where that is missing or garbage. */
  readonly pid: number

  constructor(path: string, dataDir: string, holder: LockHolder) {
    super(
      'ERR_LOCK_HELD',
      path,
      `the data directory ${dataDir} is locked${heldBy(holder)}; stop that process first`,
      { holder },
    )
    this.pid = holder.pid
  }
}

/** The lock was not broken, because its holder lives, may live, or still has the lock whatever the pidfile says. */
export class StaleLockBreakRefusedError extends LockError {
  override readonly name = 'StaleLockBreakRefusedError'
  /** The holder's pid as its pidfile has it; 0 where that is missing or garbage. */
  readonly pid: number

  constructor(path: string, dataDir: string, holder: LockHolder, why: string) {
    super(
      'ERR_LOCK_STALE_BREAK_REFUSED',
      path,
      `the lock on the data directory ${dataDir} is not stale: ${why}; stop that process first`,
      { holder },
    )
    this.pid = holder.pid
  }
}

/** Waiting could never end: the holder that would have to give way waits for us. */
export class LockDeadlockError extends LockError {
  override readonly name = 'LockDeadlockError'

  constructor(path: string, why: string, remedy: string) {
    super(
      'ERR_LOCK_DEADLOCK',
      path,
      `waiting for the lock on ${path} would never end: ${why}; ${remedy}`,
    )
  }
}

/** The lock is gone: the shared lock was given up for another mode, and somebody else came in between. */
export class LockLostError extends LockError {
  override readonly name = 'LockLostError'

  constructor(path: string, doing: string, cause?: unknown) {
    super(
      'ERR_LOCK_LOST',
      path,
      `the lock on ${path} was lost while it was being ${doing}, and is released; acquire it again and read again what it guards`,
      { cause },
    )
  }
}

/** The lock was released before. */
export class LockReleasedError extends LockError {
  override readonly name = 'LockReleasedError'

  constructor(path: string, what: string) {
    super(
      'ERR_LOCK_RELEASED',
      path,
      `${what} needs the lock on ${path}, which is released; acquire it again`,
    )
  }
}

/** An argument or option that means nothing. */
export class LockOptionError extends LockError {
  override readonly name = 'LockOptionError'

  constructor(path: string, message: string, cause?: unknown) {
    super('ERR_LOCK_OPTION', path, message, cause === undefined ? {} : { cause })
  }
}

/** flock(2) does not work here: not on this platform, or not on this file system. */
export class LockUnsupportedError extends LockError {
  override readonly name = 'LockUnsupportedError'

  constructor(path: string, message: string, cause?: unknown) {
    super('ERR_LOCK_UNSUPPORTED', path, message, cause === undefined ? {} : { cause })
  }
}

/** flock(2) cannot be called: there is no binding for this platform, or it cannot be loaded. */
export class LockBindingError extends LockError {
  override readonly name = 'LockBindingError'
  /** What is wrong with the bindings, without the path. */
  readonly problem: string
  /** What to do about it. */
  readonly remedy: string

  constructor(path: string, problem: string, remedy: string, cause?: unknown) {
    super(
      'ERR_LOCK_BINDING',
      path,
      `cannot lock ${path || 'anything'}: ${problem}; ${remedy}`,
      cause === undefined ? {} : { cause },
    )
    this.problem = problem
    this.remedy = remedy
  }
}

/** The operating system refused to open, read or write the file. `code` says which kind of refusal it was. */
export class LockFileError extends LockError {
  override readonly name = 'LockFileError'
}

const kinds: Record<string, [LockErrorCode, string]> = {
  ENOENT: ['ERR_LOCK_NOT_FOUND', 'it or its parent directory does not exist; create that first'],
  ENOTDIR: ['ERR_LOCK_NOT_FOUND', 'a part of the path is no directory; correct the path'],
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

/** Wraps an error of the operating system, once, with the path, the kind and the remedy. */
export function fileError(cause: unknown, path: string, doing: string): LockError {
  if (cause instanceof LockError) return cause
  const refusal = errno(cause)
  if (refusal === 'ERR_INVALID_ARG_VALUE' || refusal === 'ERR_INVALID_ARG_TYPE') {
    return new LockOptionError(path, `cannot ${doing} ${JSON.stringify(path)}: not a path`, cause)
  }
  const [code, why] = kinds[refusal] ?? ['ERR_LOCK_IO', 'see the cause']
  return new LockFileError(
    code,
    path,
    `cannot ${doing} ${path}: ${why}${refusal && ` (${refusal})`}`,
    {
      cause,
    },
  )
}

function heldBy(holder: LockHolder | undefined): string {
  if (holder === undefined) return ''
  if (holder.pid === 0) return ': another process, which did not say its pid, has it'
  const state = { alive: '', dead: ', which is dead', unknown: ', which cannot be seen from here' }
  return `: process ${holder.pid}${state[holder.liveness]} has it`
}
