import { lstatSync } from 'node:fs'
import { errno, NotPlainError } from '@howdah/durable'
import { LeaseError, storeRefused, storeUnavailable } from '../errors.ts'

const remedies: Record<string, string> = {
  ENOENT: 'its directory does not exist; create that, or mount it, first',
  ENOTDIR: 'a part of the path is not a directory; correct the path',
  EISDIR: 'it is a directory; choose another path',
  EACCES: 'this user may not read and write in its directory; change the mode or the owner of that',
  EPERM:
    'this user may not write in its directory, or the file system has no hard links; choose another directory',
  ENOTSUP: 'the file system has no hard links; choose another directory',
  EOPNOTSUPP: 'the file system has no hard links; choose another directory',
  ENOSYS: 'the file system has no hard links; choose another directory',
  EROFS: 'the file system is read-only; choose another directory',
  ENAMETOOLONG: 'the name of the lease is too long; choose a shorter one',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room',
}

/** Wraps an error of the operating system in a `LeaseError` with the remedy. */
export function fileError(cause: unknown, place: string): LeaseError {
  if (cause instanceof LeaseError) return cause
  const code = errno(cause)
  const remedy = remedies[code]
  return remedy === undefined
    ? storeUnavailable(place, `failed${code && ` (${code})`}`, cause)
    : storeRefused(place, `${remedy} (${code})`, cause)
}

/**
 * Wraps an error of reading a record. In a shared directory, this user may not be allowed to read the records of other
 * users.
 */
export function unreadable(cause: unknown, place: string, record: string): LeaseError {
  if (cause instanceof NotPlainError) return storeRefused(place, cause.message, cause)
  const code = errno(cause)
  if (code === 'ELOOP') {
    return storeRefused(place, `${record} leads round in symbolic links; remove it`, cause)
  }
  if (code !== 'EACCES' && code !== 'EPERM') return fileError(cause, place)
  const what = `this user may not read ${record}${ownerOf(record)}; make it readable for all who share the lease (${code})`
  return storeRefused(place, what, cause)
}

function ownerOf(path: string): string {
  try {
    const { uid, gid, mode } = lstatSync(path)
    return `, which has mode 0${(mode & 0o777).toString(8)} and belongs to user ${uid} and group ${gid}`
  } catch {
    return ''
  }
}
