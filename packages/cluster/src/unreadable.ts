import { LockError } from '@howdah/lock'
import { UnknownStatusError } from './data-directory-errors.ts'

/** What a file that cannot be read means: nothing is known of its cluster. */
export function unreadable(dataDir: string, path: string, cause: unknown): UnknownStatusError {
  const why = cause instanceof LockError ? cause.message : `cannot read ${path}`
  return new UnknownStatusError(dataDir, why, { cause })
}
