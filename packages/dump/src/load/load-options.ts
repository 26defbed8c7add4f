import type { Readable } from 'node:stream'

export interface LoadOptions {
  /** SQL as pg_dump writes it, plain or compressed by gzip or zstd; or, if there is a pg_restore, an archive of pg_dump's. */
  readonly from: string | Readable
  /** By default that of the session or the URL. It must exist. */
  readonly database?: string | undefined
  /** All or nothing; `false` by default: what came before an error stays. */
  readonly singleTransaction?: boolean | undefined
  /** Roles that statements give something to and that are missing: `'skip'` those statements (the default), or `'create'` the roles. */
  readonly roles?: 'create' | 'skip' | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of the file that have been read, and its size: `null` for a stream. */
  readonly onProgress?:
    | ((progress: { bytes: number; totalBytes: number | null }) => void)
    | undefined
  /** Called with what was done otherwise than the file says: roles that were made, statements that were skipped. */
  readonly onNotice?: ((words: string) => void) | undefined
}
