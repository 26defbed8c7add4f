/** Something that is wrong with backups or their WAL. */
export interface BackupFinding {
  /** Absolute. */
  readonly path: string
  /** What is wrong with it. */
  readonly what: string
  readonly remedy: string
}
