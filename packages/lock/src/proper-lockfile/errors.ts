import { errno } from '@howdah/durable'
import { LockError } from '../errors.ts'
import { quickHolder } from '../process/holder.ts'

/**
 * The errors of the functions of this entry.
 *
 * `code` is as in proper-lockfile: `ELOCKED`, `ENOTACQUIRED`, `ERELEASED`, `ECOMPROMISED`, `ESYNC` (a synchronous call cannot
 * retry), or the code of the operating system, such as `ENOENT`.
 */
export class LockfileError extends Error {
  override readonly name = 'LockfileError'
  readonly code: string
  /** The file that was to be locked. */
  readonly file: string

  constructor(code: string, file: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.file = file
  }
}

/** Somebody holds the lock. */
export function locked(file: string, who: string): LockfileError {
  return new LockfileError(
    'ELOCKED',
    file,
    `Lock file is already being held: ${who}; give more retries, or end what holds it`,
  )
}

/**
 * The error that somebody holds a lock file. Call it only when the error is thrown, because finding the holder takes longer
 * than many tries.
 */
export function heldBySomebody(file: string, path: string): LockfileError {
  const holder = quickHolder(path)
  return locked(file, `${holder ? `process ${holder.pid}` : 'another process'} has ${path}`)
}

/** Turns a `LockError` into an error with the operating system's code, which users of proper-lockfile know. */
export function asLockfileError(error: unknown, file: string): unknown {
  if (!(error instanceof LockError)) return error
  const code = errno(error.cause)
  // Some errors have no such code, for example on Windows.
  return code === '' ? error : new LockfileError(code, file, `${code}: ${error.message}`, error)
}
