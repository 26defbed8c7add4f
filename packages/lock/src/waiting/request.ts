import { resolve } from 'node:path'
import { LockError } from '../errors.ts'
import type { Holder } from '../process/holder.ts'
import type { LockMode } from '../lock-mode.ts'

/** What a wait waits for. */
export interface Contention {
  /** The absolute path of the lock. */
  readonly path: string
  /** The requested mode. */
  readonly mode: LockMode
  /** The holders of the lock that can be seen without a search; `inspect` sees more. */
  readonly holders: readonly Holder[]
  /** Aborted when the wait is over: the lock was acquired, or the call has failed. */
  readonly over: AbortSignal
}

/** Options of a single try. */
export interface TryOptions {
  /** `'exclusive'` by default. */
  mode?: LockMode | undefined
  /** Make the file if it is missing; `true` by default. Directories are never made. */
  create?: boolean | undefined
  /**
   * The permissions of a new file, less the umask; `0o666` by default. A user who may open the file can hold the lock, so
   * give `0o600` for a lock that no other user may hold.
   */
  permissions?: number | undefined
}

/** Options of a wait. */
export interface WaitOptions {
  /** How long to wait, in milliseconds. 0 means one try. Without this option there is no limit. */
  timeout?: number | undefined
  /** Ends the wait; the promise then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
  /** Called once, when the lock is first found taken. If it throws, the wait rejects with that error. */
  onWait?: ((contention: Contention) => void) | undefined
}

/** Options of {@link acquire}. */
export interface AcquireOptions extends TryOptions, WaitOptions {
  /**
   * Wait in line; `true` by default. The line is kept by a second file, `<path>.gate`, which is made when a process first has
   * to wait or upgrades, and then stays. With `false` no second file is made, and others may overtake for ever. Directories
   * never have a gate.
   */
  fair?: boolean | undefined
}

/** A checked request for a lock. */
export interface Request {
  readonly path: string
  readonly mode: LockMode
  readonly create: boolean
  readonly permissions?: number | undefined
  /** The path must lead to a directory; see `Opening`. */
  directory?: boolean | undefined
  /** Open the file for reading only. */
  readonly readOnly?: boolean | undefined
  readonly fair: boolean
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly onWait: ((contention: Contention) => void) | undefined
}

/** Checks a path and options. Throws `ERR_LOCK_OPTION`. */
export function request(path: string, options: AcquireOptions = {}): Request {
  const {
    mode = 'exclusive',
    create = true,
    permissions,
    fair = true,
    timeout = Infinity,
    signal,
    onWait,
  } = options
  if (mode !== 'exclusive' && mode !== 'shared') {
    throw new LockError(
      'ERR_LOCK_OPTION',
      path,
      `the mode of a lock is 'exclusive' or 'shared', not ${JSON.stringify(mode)}`,
    )
  }
  if (permissions !== undefined && !(permissions >= 0 && permissions <= 0o777)) {
    throw new LockError(
      'ERR_LOCK_OPTION',
      path,
      `permissions are a number from 0 to 0o777, not ${String(permissions)}`,
    )
  }
  checkTimeout(path, timeout)
  const directory = namesDirectory(path)
  return {
    path: absolute(path),
    directory,
    mode,
    create,
    permissions,
    fair,
    timeout,
    signal,
    onWait,
  }
}

/** Throws `ERR_LOCK_OPTION` unless `timeout` is a number of milliseconds, 0 or more. */
export function checkTimeout(path: string, timeout: unknown): void {
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw new LockError(
      'ERR_LOCK_OPTION',
      path,
      `a timeout is a number of milliseconds, 0 or more, not ${String(timeout)}; leave it out to wait without limit`,
    )
  }
}

/** Whether the end of a path says that it is a directory (path_resolution(7)). */
export function namesDirectory(path: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(path)
}

/** The absolute path. Throws `ERR_LOCK_OPTION`. */
export function absolute(path: string): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new LockError(
      'ERR_LOCK_OPTION',
      path,
      `the path of a lock is a string that is not empty and without NUL, not ${JSON.stringify(path)}`,
    )
  }
  return plain.test(path) ? path : resolve(path)
}

/** Matches an absolute path that resolve() would not change. The call is saved, because it takes longer than locking. */
const plain = /^(?:\/[^/.][^/]*)+$/
