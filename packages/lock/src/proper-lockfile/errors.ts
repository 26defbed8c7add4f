import { errno } from '@howdah/durable'
import { LockError } from '../errors.ts'
import { quickHolder } from '../process/holder.ts'

/**
 * What the functions of this entry reject with.
 *
 * `code` is as in proper-lockfile: `ELOCKED`, `ENOTACQUIRED`, `ERELEASED`, `ECOMPROMISED`, `ESYNC` (retries were asked of a
 * synchronous call), or that of the operating system, such as `ENOENT`.
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

/** That somebody holds a lock file by flock(2). To find out who takes longer than to try many times. */
export function heldBySomebody(file: string, path: string): LockfileError {
  const holder = quickHolder(path)
  return locked(file, `${holder ? `process ${holder.pid}` : 'another process'} has ${path}`)
}

/** Gives an error of the lock the code of the operating system, which users of proper-lockfile know. */
export function asLockfileError(error: unknown, file: string): unknown {
  if (!(error instanceof LockError)) return error
  const code = errno(error.cause)
  // Such as on Windows: there is no such code.
  return code === '' ? error : new LockfileError(code, file, `${code}: ${error.message}`, error)
}
