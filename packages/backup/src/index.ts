export type { Backup, Progress } from './backup.ts'
export { cloneCluster, forkCluster } from './clone/clone.ts'
export type { CloneOptions } from './clone/clone-options.ts'
export { BackupDirectory } from './directory/backup-directory.ts'
export { backUpCluster, type BackedUp, type BackupOptions } from './making/back-up.ts'
export { type Moment, parseMoment } from './moment.ts'
export type { RecoveryTarget } from './restoring/recovery-target.ts'
export { restoreCluster, type RestoreOptions, type Restored } from './restoring/restore.ts'
export type { BackupFinding } from './verifying/finding.ts'
export type { SavingLimits } from './saving/saving-limits.ts'
export { type SavedCluster, SavedClusters } from './saving/saved-clusters.ts'
export {
  bringBackDatabase,
  dropSavedDatabase,
  isSavedDatabase,
  saveDatabase,
  savedDatabases,
  type SavedDatabase,
} from './saving/saved-databases.ts'
export { type Verification, verifyBackups, type VerifyOptions } from './verifying/verify-backups.ts'
export type { WorkOptions } from './work-options.ts'
