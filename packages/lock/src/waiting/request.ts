import { resolve } from 'node:path'
import { LockError } from '../errors.ts'
import type { Holder } from '../process/holder.ts'
import type { LockMode } from '../lock-mode.ts'

/** What a wait waits for. */
export interface Contention {
  /** The absolute path of the lock. */
  readonly path: string
  /** The mode that is wanted. */
  readonly mode: LockMode
  /** Who holds the lock just now, as far as that can be seen without searching; `inspect` sees more. */
  readonly holders: readonly Holder[]
}

/** Options of a single try. */
export interface TryOptions {
  /** `'exclusive'` unless told otherwise. */
  mode?: LockMode | undefined
  /** Make the file if there is none; `true` unless told otherwise. Directories are never made. */
  create?: boolean | undefined
  /**
   * The permissions of a file that is made, less the umask; `0o666` unless told otherwise. A user who may open the file can
   * hold the lock: give `0o600` for a lock that no other user may hold.
   */
  permissions?: number | undefined
}

/** Options of a wait. */
export interface WaitOptions {
  /** Milliseconds until the wait is given up; 0 is one try; without it there is no limit. */
  timeout?: number | undefined
  /** Ends the wait; the promise then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
  /** Called once, when the lock is first found taken. What it throws rejects the wait. */
  onWait?: ((contention: Contention) => void) | undefined
}

/** Options of {@link acquire}. */
export interface AcquireOptions extends TryOptions, WaitOptions {
  /**
   * Wait in line, by means of a second file, `<path>.gate`, which is made when somebody first has to wait or upgrades,
   * and then stays; `true` unless told otherwise. Without it nothing is left beside the file, and processes that do not wait in line
   * may come first for ever. Directories never have a gate.
   */
  fair?: boolean | undefined
}

/** An acquisition, checked. */
export interface Request {
  readonly path: string
  readonly mode: LockMode
  readonly create: boolean
  readonly permissions?: number | undefined
  /** Only a directory will do; see `Opening`. */
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

/** Throws `ERR_LOCK_OPTION` unless it is a number of milliseconds, 0 or more. */
export function checkTimeout(path: string, timeout: unknown): void {
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw new LockError(
      'ERR_LOCK_OPTION',
      path,
      `a timeout is a number of milliseconds, 0 or more, not ${String(timeout)}; leave it out to wait without limit`,
    )
  }
}

/** Whether a path can only be that of a directory, by its end (path_resolution(7)). */
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

/** An absolute path that resolve() would leave as it is, and would take longer about than the lock takes. */
const plain = /^(?:\/[^/.][^/]*)+$/
