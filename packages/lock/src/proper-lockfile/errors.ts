import { errno } from '@howdah/durable'
import { LockError, type LockHolder } from '../errors.ts'

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
export class LockedError extends LockfileError {
  /** Whether it is held by flock(2), so that the kernel tells when it is free. */
  readonly byKernel: boolean

  constructor(file: string, who: string, byKernel: boolean) {
    super(
      'ELOCKED',
      file,
      `Lock file is already being held: ${who}; give more retries, or end what holds it`,
    )
    this.byKernel = byKernel
  }
}

/** The holder of a lock file, in words. */
export function inWords(path: string, holder: LockHolder | undefined): string {
  return holder ? `process ${holder.pid} has ${path}` : `another process has ${path}`
}

/** Gives an error of the lock the code of the operating system, which users of proper-lockfile know. */
export function asLockfileError(error: unknown, file: string): unknown {
  if (!(error instanceof LockError)) return error
  const code = errno(error.cause)
  // Such as on Windows: there is no such code.
  return code === '' ? error : new LockfileError(code, file, `${code}: ${error.message}`, error)
}
