import { errno } from '@howdah/durable'
import type { StandardSchemaV1 } from './standard-schema.ts'

/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type StoreErrorCode =
  | 'ERR_STORE_AMBIGUOUS_ID'
  | 'ERR_STORE_DOCUMENT_DAMAGED'
  | 'ERR_STORE_DOCUMENT_LOST'
  | 'ERR_STORE_ENTRY_DAMAGED'
  | 'ERR_STORE_ENTRY_EXISTS'
  | 'ERR_STORE_ENTRY_GONE'
  | 'ERR_STORE_ENTRY_NAME'
  | 'ERR_STORE_ENTRY_REVISION'
  | 'ERR_STORE_IDENTITY'
  | 'ERR_STORE_INVALID_STATE'
  | 'ERR_STORE_IO'
  | 'ERR_STORE_LOCK'
  | 'ERR_STORE_LOCK_LOST'
  | 'ERR_STORE_LOCK_ORDER'
  | 'ERR_STORE_LOCK_TIMEOUT'
  | 'ERR_STORE_NOT_FOUND'
  | 'ERR_STORE_NOT_LOCKED'
  | 'ERR_STORE_OPTION'
  | 'ERR_STORE_STATE_DIRECTORY'

/** The step that failed, and its path. */
export interface Failure {
  /** The step, such as `acquire lock on store segment 7`. */
  readonly step: string
  readonly path: string
}

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
type Fields = Omit<StoreError, keyof Error | 'code' | keyof Failure>

/**
 * The class of all errors of this package. An error has a permanent code, and a message with the step, the path, the reason
 * and the remedy.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** The step that failed, such as `acquire lock on store segment 7`. */
  readonly step: string
  /** The file or directory that the step was about. */
  readonly path: string
  /** `ERR_STORE_ENTRY_DAMAGED`: what is wrong with the file. */
  declare readonly damage?: EntryDamage | undefined
  /** `ERR_STORE_INVALID_STATE`: the issues that the schema reported, if a schema refused the state. */
  declare readonly issues?: readonly StandardSchemaV1.Issue[] | undefined
  /** `ERR_STORE_STATE_DIRECTORY`: which directories are not used, and why. */
  declare readonly problems?: readonly string[] | undefined

  constructor(
    code: StoreErrorCode,
    { step, path }: Failure,
    why: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(`cannot ${step} (${path}): ${why}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.step = step
    this.path = path
    Object.assign(this, fields)
  }
}

/** What can be wrong with the file of an entry. */
export type EntryDamage =
  | 'empty'
  | 'truncated'
  | 'magic'
  | 'complement'
  | 'length'
  | 'checksum'
  | 'body'
  | 'kind'
  | 'id'

/** An entry's file is not what was saved. Entries appear whole, so another program or the disk has damaged it. */
export function entryDamaged(
  damage: EntryDamage,
  failure: Failure,
  why: string,
  cause?: unknown,
): StoreError {
  return new StoreError('ERR_STORE_ENTRY_DAMAGED', failure, `${why}; destroy the entry`, {
    cause,
    damage,
  })
}

/** The schema refuses a state. */
export function invalidState(
  failure: Failure,
  issues: readonly StandardSchemaV1.Issue[],
): StoreError {
  return new StoreError(
    'ERR_STORE_INVALID_STATE',
    failure,
    `the schema refuses it: ${issues.map(describeIssue).join(', ')}; correct the state or the schema`,
    { issues },
  )
}

/** A document exists but cannot be read. It is never taken for an empty one. */
export function documentDamaged(failure: Failure, why: string, cause?: unknown): StoreError {
  return new StoreError(
    'ERR_STORE_DOCUMENT_DAMAGED',
    failure,
    `${why}; recover() brings back the last good version`,
    { cause },
  )
}

const remedies: Record<string, string> = {
  ENOENT:
    'it does not exist: it or its directory was removed, or nothing can be made there; choose another place',
  ENOTDIR: 'a part of the path is not a directory; correct the path',
  EEXIST: 'something else is there; remove it',
  ELOOP: 'it is a symbolic link; give the path that it leads to, or remove it',
  EACCES: 'this user may not; change the mode or the owner',
  EPERM: 'this user may not, or the file system knows no hard links; choose another place',
  EROFS: 'the file system is read-only; choose a path elsewhere',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room',
  EMFILE: 'this process has too many open files; close some, or raise ulimit -n',
  ENFILE: 'this machine has too many open files; close some, or raise fs.file-max',
  EISDIR: 'it is a directory; remove it',
  ERR_DURABLE_NOT_PLAIN: 'it is not a plain file, or far too long; remove it',
  EBUSY:
    'it is a mount point, such as a single file mounted into a container, which cannot be replaced; mount its directory instead',
  ENXIO: 'it is a socket or another special file; give the path of a file',
  ENAMETOOLONG: 'its name or path is too long; shorten it',
}

/** Wraps an error of the operating system in a {@link StoreError} with the step, the path and the remedy. */
export function ioError(cause: unknown, failure: Failure): StoreError {
  if (cause instanceof StoreError) return cause
  const code = errno(cause)
  const why = `${remedies[code] ?? 'see the cause'}${code && ` (${code})`}`
  return new StoreError('ERR_STORE_IO', failure, why, { cause })
}

/** The error to throw if a lock was not granted: a {@link StoreError}, or the reason of an abort unchanged. */
export function lockError(cause: unknown, failure: Failure): unknown {
  const code = errno(cause)
  if (!(cause instanceof Error) || !code.startsWith('ERR_LOCK_')) return cause
  const timeout = code === 'ERR_LOCK_TIMEOUT'
  return new StoreError(
    timeout ? 'ERR_STORE_LOCK_TIMEOUT' : 'ERR_STORE_LOCK',
    failure,
    cause.message,
    { cause },
  )
}

function describeIssue({ message, path = [] }: StandardSchemaV1.Issue): string {
  const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  return place === '' ? message : `${place}: ${message}`
}
