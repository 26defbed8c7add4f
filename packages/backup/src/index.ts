export type { Backup, Progress } from './backup.ts'
export { cloneCluster, type CloneOptions } from './clone/clone.ts'
export { BackupDirectory } from './directory/backup-directory.ts'
export {
  ArchiveFailedError,
  BackupDamagedError,
  BackupDirectoryError,
  BackupUnsupportedError,
  ForeignArchivingError,
  InvalidTargetError,
  NoBackupError,
  RecoveryFailedError,
  RestartNeededError,
  TargetNotReachedError,
} from './errors.ts'
export { backUpCluster, type BackedUp, type BackupOptions } from './making/back-up.ts'
export type { RecoveryTarget } from './restoring/recovery-target.ts'
export { restoreCluster, type RestoreOptions, type Restored } from './restoring/restore.ts'
export type { BackupFinding } from './verifying/finding.ts'
export { type Verification, verifyBackups, type VerifyOptions } from './verifying/verify-backups.ts'
