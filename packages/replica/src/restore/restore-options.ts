/** LTX files, or the snapshots and WAL of litestream 0.3. */
export type ReplicaFormat = 'ltx' | 'generation'

/** What to restore: the latest state, unless one of these says otherwise. */
export interface RestoreTarget {
  /** The state after this transaction, from LTX files. */
  readonly txid?: bigint | undefined
  /** The last state at this time or before, as a date or in milliseconds since 1970. */
  readonly time?: Date | number | undefined
  /** Which files to restore from, if there are LTX files and some of litestream 0.3; by default those that are newer. */
  readonly format?: ReplicaFormat | undefined
  /** A generation of litestream 0.3; by default the one that was written last. */
  readonly generation?: string | undefined
  /** The state after the WAL of this index, of litestream 0.3. */
  readonly index?: number | undefined
}

/** How far a restore is. */
export interface RestoreProgress {
  /** What is being done. */
  readonly phase: 'restoring' | 'syncing' | 'checking'
  /** The file that is being read. */
  readonly file: string
  /** How many files were read, and how many there are to read. */
  readonly files: number
  readonly totalFiles: number
  /** How much was read of the files, and their sizes, in bytes. */
  readonly bytes: number
  readonly totalBytes: number
  /** How much was written to the database, in bytes; pages that change often count as often. */
  readonly bytesWritten: number
}

/** How thoroughly SQLite checks the database: `PRAGMA integrity_check`, `PRAGMA quick_check`, or not at all. */
export type IntegrityCheckMode = 'full' | 'quick' | 'none'

/** How to restore, and where to. */
export interface RestoreOptions extends RestoreTarget {
  /** The database file to make, which must not exist. Its directory must. */
  readonly output: string
  /** `'full'` by default. */
  readonly integrityCheck?: IntegrityCheckMode | undefined
  /** Called every few megabytes, and at the start of each phase and file. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Who checked the restored database, or why nobody did. */
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
  /** Where it came from. */
  readonly from:
    | { readonly format: 'ltx'; readonly txid: bigint }
    | {
        readonly format: 'generation'
        readonly generation: string
        /** The WAL of this index was the last one, and this much of it was used, in bytes. */
        readonly index: number
        readonly offset: number
      }
  /** The other format, if it was there and not taken because it is older: its newest file up to the wanted time. */
  readonly passedOver?: { readonly format: ReplicaFormat; readonly timestamp: Date } | undefined
  /**
   * When the last transaction in it was made, or the last WAL segment written. If a header's time is beyond what a `Date`
   * holds, it is the nearest one.
   */
  readonly timestamp: Date
  /** Bytes per page; 0 if the database is empty. */
  readonly pageSize: number
  /** The size in pages. */
  readonly pages: number
  /** The size in bytes. */
  readonly bytes: number
  /** How many files it was put together from. */
  readonly files: number
  readonly integrity: IntegrityCheck
}
