/** LTX files, or the snapshots and WAL of litestream 0.3. */
export type ReplicaFormat = 'ltx' | 'generation'

/** The state to restore; the latest by default. */
export interface RestoreTarget {
  /** The state after this transaction, from LTX files. */
  readonly txid?: bigint | undefined
  /** The last state up to this time, which is a date or in milliseconds since 1970. */
  readonly time?: Date | number | undefined
  /** The files to restore from if there are both LTX files and files of litestream 0.3; by default the newer ones. */
  readonly format?: ReplicaFormat | undefined
  /** A generation of litestream 0.3; by default the one that was written last. */
  readonly generation?: string | undefined
  /** The state after the WAL of litestream 0.3 with this index. */
  readonly index?: number | undefined
}

/** The progress of a restore. */
export interface RestoreProgress {
  /** What is being done. */
  readonly phase: 'restoring' | 'syncing' | 'checking'
  /** The file that is being read. */
  readonly file: string
  /** The number of files that were read, and the number of all files to read. */
  readonly files: number
  readonly totalFiles: number
  /** The number of bytes that were read, and the total size of the files, in bytes. */
  readonly bytes: number
  readonly totalBytes: number
  /** The number of bytes that were written to the database; a page counts each time that it is written. */
  readonly bytesWritten: number
}

/** How thoroughly SQLite checks the database: `PRAGMA integrity_check`, `PRAGMA quick_check`, or not at all. */
export type IntegrityCheckMode = 'full' | 'quick' | 'none'

/** Options of a restore. */
export interface RestoreOptions extends RestoreTarget {
  /** The database file to make. It must not exist, but its directory must. */
  readonly output: string
  /** `'full'` by default. */
  readonly integrityCheck?: IntegrityCheckMode | undefined
  /** Called every few megabytes, and at the start of each phase and file. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What checked the restored database, or why it was not checked. */
export interface IntegrityCheck {
  readonly mode: IntegrityCheckMode
  /** `null` if it was not checked. */
  readonly checkedBy: 'node:sqlite' | 'sqlite3' | null
  /** Why it was not checked. */
  readonly skipped?: string | undefined
}

/** What was restored. */
export interface RestoreResult {
  /** The database file. */
  readonly path: string
  /** The files from which it was restored. */
  readonly from:
    | { readonly format: 'ltx'; readonly txid: bigint }
    | {
        readonly format: 'generation'
        readonly generation: string
        /** The index of the last WAL, and the number of its bytes that were used. */
        readonly index: number
        readonly offset: number
      }
  /** The other format, if it exists but was older, and the time of its newest file up to the wanted time. */
  readonly passedOver?: { readonly format: ReplicaFormat; readonly timestamp: Date } | undefined
  /**
   * The time of the last transaction, or of the last WAL segment. If a `Date` cannot hold the time in a header, this is the
   * nearest possible time.
   */
  readonly timestamp: Date
  /** Bytes per page; 0 if the database is empty. */
  readonly pageSize: number
  /** The size in pages. */
  readonly pages: number
  /** The size in bytes. */
  readonly bytes: number
  /** The number of files from which it was restored. */
  readonly files: number
  readonly integrity: IntegrityCheck
}
