export {
  openPlainFile,
  openPlainFileSync,
  readPlainFile,
  type PlainFileOptions,
  type PlainReadOptions,
} from '@howdah/durable'
export { acquire, acquireSync, tryAcquire, withLock } from './acquire.ts'
export { flockBinding } from './binding/load-binding.ts'
export {
  DataDirLock,
  type BreakStaleOptions,
  type DataDirLockNames,
  type DataDirLockOptions,
} from './data-dir-lock.ts'
export type { EditOptions, EditedFile } from './locked-file/edited-file.ts'
export {
  LockBindingError,
  LockDeadlockError,
  LockError,
  LockFileError,
  LockHeldError,
  LockLostError,
  LockOptionError,
  LockReleasedError,
  LockTimeoutError,
  LockUnsupportedError,
  StaleLockBreakRefusedError,
  type LockErrorCode,
  type LockHolder,
} from './errors.ts'
export type { Holder } from './holder.ts'
export { inspect, type Inspection } from './inspect.ts'
export type { LockMode } from './lock-mode.ts'
export { Lock, type UpgradeOptions } from './lock.ts'
export { lockedFile } from './locked-file/locked-file.ts'
export { makeDirectories } from './make-directories.ts'
export { Mutex } from './mutex.ts'
export { PidFile, type PidFileOptions } from './pid-file.ts'
export {
  currentProcess,
  identifyProcess,
  liveness,
  parseIdentity,
  type Liveness,
  type ProcessIdentity,
} from './process-identity.ts'
export type { AcquireOptions, Contention, TryOptions, WaitOptions } from './request.ts'
