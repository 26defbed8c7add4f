import { LeaseError, LeaseStoreError, LeaseUnavailableError } from '../errors.ts'

/** The operating system's code of an error, such as `ENOENT`; empty where it has none. */
export function errno(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

const remedies: Record<string, string> = {
  ENOENT: 'its directory does not exist; create that, or mount it, first',
  ENOTDIR: 'a part of the path is no directory; correct the path',
  EISDIR: 'it is a directory; choose another path',
  EACCES: 'this user may not; change the mode or the owner of the directory',
  EPERM: 'this user may not, or the file system has no hard links; choose another directory',
  ENOTSUP: 'the file system has no hard links; choose another directory',
  EOPNOTSUPP: 'the file system has no hard links; choose another directory',
  ENOSYS: 'the file system has no hard links; choose another directory',
  EROFS: 'the file system is read-only; choose another directory',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room',
}

/** Wraps an error of the operating system, once, with the remedy. */
export function fileError(cause: unknown, place: string): LeaseError {
  if (cause instanceof LeaseError) return cause
  const code = errno(cause)
  const remedy = remedies[code]
  return remedy === undefined
    ? new LeaseUnavailableError(place, `failed${code && ` (${code})`}`, cause)
    : new LeaseStoreError(place, `${remedy} (${code})`, cause)
}
