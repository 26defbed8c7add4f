/** A base backup, described by its record. */
export interface Backup {
  /** Counted from 1. Newer backups have higher numbers. */
  readonly number: number
  /** The absolute path of its files. */
  readonly path: string
  /** The server's version, such as `16.14`. */
  readonly version: string
  /** The identifier of the cluster, which is also in its WAL, in decimal digits. */
  readonly systemIdentifier: string
  readonly timeline: number
  /** The position from which its WAL is needed, as PostgreSQL prints it. */
  readonly startLsn: string
  /**
   * The position up to which its WAL is needed at least, as PostgreSQL prints it. It cannot be restored to an earlier point.
   */
  readonly stopLsn: string
  /** The first WAL file that it needs. */
  readonly startWalFile: string
  /** In bytes. */
  readonly walSegmentSize: number
  /** By the server's clock. */
  readonly startedAt: Date
  /** By the server's clock. */
  readonly endedAt: Date
  /** The size of all its files, in bytes. */
  readonly size: number
}

/** The progress of a backup, a restore or a clone. */
export interface Progress {
  /**
   * `preparing`: locks, the server, archiving; `copying`: files; `verifying`: files and WAL; `archiving`: until the server has archived its last WAL;
   * `recovering`: the server replays WAL; `finishing`: what is left.
   */
  readonly phase: 'preparing' | 'copying' | 'archiving' | 'recovering' | 'verifying' | 'finishing'
  /** How much of this phase is done, in bytes of files or WAL. */
  readonly bytes: number
  /** The total of this phase, in bytes; `null` if it is unknown. */
  readonly totalBytes: number | null
  /** The estimated rest of this phase, in ms; `null` if it is unknown. */
  readonly remaining: number | null
}
