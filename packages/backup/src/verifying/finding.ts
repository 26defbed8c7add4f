/** A problem with backups or their WAL. */
export interface BackupFinding {
  /** The absolute path. */
  readonly path: string
  /** The problem. */
  readonly what: string
  readonly remedy: string
}
