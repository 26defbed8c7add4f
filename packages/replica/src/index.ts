export type { ReplicaEntry } from './entries.ts'
export { ReplicaError, type ReplicaErrorCode } from './errors.ts'
export { FileReplica } from './file-replica.ts'
export type { SnapshotInfo, WalSegmentInfo } from './generation-files.ts'
export type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'
export type { Modes } from './modes.ts'
export type {
  IntegrityCheck,
  IntegrityCheckMode,
  RestoreOptions,
  RestoreProgress,
  RestoreResult,
  RestoreTarget,
} from './restore-options.ts'
export type { RestorePlan } from './restore-plan.ts'
export type { Verdict } from './verify.ts'
