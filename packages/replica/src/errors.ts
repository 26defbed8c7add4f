import { errno } from '@howdah/durable'
/**
 * The codes of this package's errors. They are permanent: match on them, not on messages or classes.
 *
 * Litestream's own replica clients also use `ENOENT` for a missing file.
 */
export type ReplicaErrorCode =
  | 'ENOENT'
  | 'ERR_REPLICA_DAMAGED'
  | 'ERR_REPLICA_EMPTY'
  | 'ERR_REPLICA_GAP'
  | 'ERR_REPLICA_INTEGRITY'
  | 'ERR_REPLICA_IO'
  | 'ERR_REPLICA_LAYOUT'
  | 'ERR_REPLICA_MISMATCH'
  | 'ERR_REPLICA_NOT_REACHED'
  | 'ERR_REPLICA_NO_SPACE'
  | 'ERR_REPLICA_OPTION'
  | 'ERR_REPLICA_OUTPUT_EXISTS'
  | 'ERR_REPLICA_PEER_MISSING'
  | 'ERR_REPLICA_PERMISSION'

interface Details {
  path?: string | undefined
  cause?: unknown
}

/** An error of this package. `code` says what happened, and `path` names the file. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError'
  readonly code: ReplicaErrorCode
  /** The file or directory; `undefined` if the error is not about one. */
  readonly path?: string

  constructor(code: ReplicaErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.path !== undefined) this.path = details.path
  }
}

const kinds: Readonly<Record<string, readonly [ReplicaErrorCode, string]>> = {
  ENOENT: ['ENOENT', 'it does not exist'],
  EACCES: ['ERR_REPLICA_PERMISSION', 'this user may not do that; change the mode or the owner'],
  EPERM: ['ERR_REPLICA_PERMISSION', 'this user may not do that; change the mode or the owner'],
  EROFS: ['ERR_REPLICA_PERMISSION', 'the file system is read-only; choose a path elsewhere'],
  ENOSPC: ['ERR_REPLICA_NO_SPACE', 'the disk is full; make room'],
  EDQUOT: ['ERR_REPLICA_NO_SPACE', 'the disk quota is used up; make room'],
  ERR_DURABLE_NOT_PLAIN: ['ERR_REPLICA_IO', 'it is not a regular file; remove it'],
  ELOOP: ['ERR_REPLICA_IO', 'its symbolic links form a loop; remove them'],
  EFBIG: ['ERR_REPLICA_NO_SPACE', 'the file would become larger than allowed; raise the limit'],
}

/** Runs an operation on a file. Wraps an error of the operating system once, with the path and the remedy. */
export async function io<T>(doing: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof ReplicaError) throw cause
    const refusal = errno(cause)
    const [code, why] = kinds[refusal] ?? ['ERR_REPLICA_IO', 'see the cause']
    const named = refusal === '' ? '' : ` (${refusal})`
    throw new ReplicaError(code, `cannot ${doing} ${path}: ${why}${named}`, { path, cause })
  }
}

/** Runs an operation on a file. Returns `null` if the file does not exist. */
export async function ifThere<T>(
  doing: string,
  path: string,
  run: () => Promise<T>,
): Promise<T | null> {
  try {
    return await io(doing, path, run)
  } catch (error) {
    if (error instanceof ReplicaError && error.code === 'ENOENT') return null
    throw error
  }
}
