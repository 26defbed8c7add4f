import { diskFull, notPermitted } from '../errors.ts'
import { isByDescriptor } from '../tree/held-directory.ts'

/** Turns the error of a failed system call into an error of a backup or a restore. Gives any other error back unchanged. */
export function explain(error: unknown, dataDir: string, at: string): unknown {
  const { code, path: named = at, syscall } = error as NodeJS.ErrnoException
  const path = isByDescriptor(named) ? at : named
  if (syscall === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return diskFull(dataDir, at, null, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const message = `may not ${syscall} ${path}; run as its owner, or use another place`
    return notPermitted(dataDir, path, message, { cause: error })
  }
  return error
}
