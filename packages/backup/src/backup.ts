/** A base backup, as its own record says. */
export interface Backup {
  /** Counted from 1; the higher, the newer. */
  readonly number: number
  /** Where its files lie. Absolute. */
  readonly path: string
  /** The server's version, such as `16.14`. */
  readonly version: string
  /** The identifier of the cluster, which its WAL bears, too. In decimal digits. */
  readonly systemIdentifier: string
  readonly timeline: number
  /** From where on its WAL is needed. As PostgreSQL prints it. */
  readonly startLsn: string
  /** Up to where its WAL is needed at least. It cannot be restored to an earlier point. As PostgreSQL prints it. */
  readonly stopLsn: string
  /** The first WAL file that it needs. */
  readonly startWalFile: string
  /** In bytes. */
  readonly walSegmentSize: number
  /** By the server's clock. */
  readonly startedAt: Date
  /** By the server's clock. */
  readonly endedAt: Date
  /** In bytes: all its files. */
  readonly size: number
}

/** How far a backup, a restore or a clone is. */
export interface Progress {
  /**
   * `preparing`: locks, the server, archiving; `copying`: files; `verifying`: files and WAL; `archiving`: until the server has archived its last WAL;
   * `recovering`: the server replays WAL; `finishing`: what is left.
   */
  readonly phase: 'preparing' | 'copying' | 'archiving' | 'recovering' | 'verifying' | 'finishing'
  /** In bytes, of this phase: files, or WAL. */
  readonly bytes: number
  /** In bytes, of this phase: how much there is; `null` if that is not known. */
  readonly totalBytes: number | null
  /** In ms: how long this phase may still take, as it has gone so far. */
  readonly remaining: number | null
}
