export type { Address } from './address.ts'
export type { BackedUp, BackupOptions } from './backup/back-up.ts'
export type { Backup, Progress } from './backup/backup.ts'
export { DiskFullError } from './data-directory-errors.ts'
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
} from './backup/errors.ts'
export type { RecoveryTarget } from './backup/recovery-target.ts'
export type { Restored, RestoreOptions } from './backup/restore.ts'
export {
  type BackupFinding,
  type Verification,
  verifyBackups,
  type VerifyOptions,
} from './backup/verify-backups.ts'
export type { CloneOptions } from './clone/clone.ts'
export type { ClusterStatus, RunningStatus } from './cluster-status.ts'
export type { ClusterUse } from './cluster-use.ts'
export { Cluster, type ClusterOptions, type EndOptions, run } from './cluster.ts'
export { diagnose, type DiagnoseOptions } from './doctor/diagnose.ts'
export {
  type CheckName,
  type Finding,
  type FindingSubject,
  isWrong,
  type Severity,
} from './doctor/finding.ts'
export {
  clusters,
  type ClustersOptions,
  type ListedCluster,
  type UnknownStatus,
} from './clusters.ts'
export {
  ClusterError,
  ControlFileError,
  InvalidPathError,
  MalformedVersionError,
  PermissionError,
  ServerUserError,
  UnknownStatusError,
} from './data-directory-errors.ts'
export {
  ClusterMissingError,
  type ClusterUser,
  CreateFailedError,
  InUseError,
  InvalidSettingError,
  NestedError,
  NoSuperuserError,
  NoTcpError,
  NotEmptyError,
  NotOursError,
  NoProcError,
  NotReadyError,
  NotRunningError,
  NotSafeError,
  ReadOnlyError,
  ReloadFailedError,
  SettingRefusedError,
  StartFailedError,
  StopFailedError,
  SystemLimitError,
  TcpLoginError,
  TemporaryPlaceError,
  UnknownSettingError,
  UnknownStartError,
  UnsupportedVersionError,
} from './errors.ts'
export type { LogOptions } from './follow-log.ts'
export type { RunOptions } from './join.ts'
export type { Mode } from './mode.ts'
export type { PatienceOptions } from './reload.ts'
export { postgres, Server, type State, template0, template1 } from './server.ts'
export type { RestartOptions, Session } from './session.ts'
export type { Setting, SettingContext, SettingFacts, TypedValue } from './setting.ts'
export type { SettingValue } from './setting-value.ts'
export type { SettingChange, Settings } from './settings.ts'
export type { StartOptions } from './start.ts'
export {
  newSystemIdentifier,
  readSystemIdentifier,
  writeSystemIdentifier,
} from './system-identifier.ts'
export { type Template, TemplateCache } from './template/template-cache.ts'
export { sweepTemporary } from './sweep.ts'
export { temporary, temporaryDataDir, type TemporaryOptions } from './temporary.ts'
export type { WaitingOptions } from './waiting-options.ts'
