export type { ReplicaEntry } from './entries.ts'
export { ReplicaError, type ReplicaErrorCode } from './errors.ts'
export { FileReplica } from './file/file-replica.ts'
export type { Modes } from './file/modes.ts'
export type { SnapshotInfo, WalSegmentInfo } from './generation/generation-files.ts'
export type { LtxFileInfo, LtxFileKey } from './ltx/ltx-file-info.ts'
export type { PlannedLtx, RestorePlan } from './ltx/ltx-files.ts'
export { openReplica } from './open-replica.ts'
export { Replica } from './replica.ts'
export type {
  IntegrityCheck,
  IntegrityCheckMode,
  ReplicaFormat,
  RestoreOptions,
  RestoreProgress,
  RestoreResult,
  RestoreTarget,
} from './restore/restore-options.ts'
export { S3Replica, type S3Connection, type S3ReplicaOptions } from './s3/s3-replica.ts'
export type { S3Sender } from './s3/s3-sender.ts'
export type { VerifyOptions } from './verify/verify-options.ts'
export type { Verdict, WholeReplica } from './verify/verify.ts'
