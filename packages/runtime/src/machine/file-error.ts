import { isSystemError } from '@howdah/durable'
import { RuntimeError, cacheUnusable, packageDamaged } from '../errors.ts'
import { diskFull } from '../install/install-errors.ts'

/** Turns an error of the file system, which was thrown while a tree was made below `target`, into an error of ours. */
export function fileError(error: unknown, target: string, source?: string): unknown {
  if (error instanceof RuntimeError || !isSystemError(error)) return error
  const code = 'code' in error ? error.code : undefined
  const path = 'path' in error && typeof error.path === 'string' ? error.path : ''
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(target, error)
  if (source !== undefined && path.startsWith(`${source}/`)) {
    return packageDamaged(source, error.message, error)
  }
  return cacheUnusable(target, error.message, error)
}
