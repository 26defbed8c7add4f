import type { Readable } from 'node:stream'

/** Options of `load`. */
export interface LoadOptions {
  /** SQL as pg_dump writes it, plain or compressed by gzip or zstd; or, if there is a pg_restore, an archive of pg_dump. */
  readonly from: string | Readable
  /** The database, which must exist; by default that of the session or the URL. */
  readonly database?: string | undefined
  /** Loads everything in one transaction. By default `false`: the statements before an error stay. */
  readonly singleTransaction?: boolean | undefined
  /** If roles are missing: `'skip'` the statements that need them (the default), or `'create'` the roles. */
  readonly roles?: 'create' | 'skip' | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of the file that have been read, and its size: `null` for a stream. */
  readonly onProgress?:
    | ((progress: { bytes: number; totalBytes: number | null }) => void)
    | undefined
  /** Called with each deviation from the file: roles that were made, and statements that were skipped. */
  readonly onNotice?: ((words: string) => void) | undefined
}
