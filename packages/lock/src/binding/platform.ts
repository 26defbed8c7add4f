import { LockError } from '../errors.ts'

/** Throws `ERR_LOCK_UNSUPPORTED` on Windows. Call it before any file is made. */
export function requireFlock(path: string): void {
  if (process.platform !== 'win32') return
  throw new LockError(
    'ERR_LOCK_UNSUPPORTED',
    path,
    `cannot lock ${path}: Windows has no flock(2); run this under Linux, WSL or macOS`,
  )
}
