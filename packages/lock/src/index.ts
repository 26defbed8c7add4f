export {
  openPlainFile,
  openPlainFileSync,
  readPlainFile,
  type PlainFileOptions,
  type PlainReadOptions,
} from '@howdah/durable'
export { acquire, acquireSync, tryAcquire, withLock } from './waiting/acquire.ts'
export { flockBinding } from './binding/load-binding.ts'
export {
  DataDirLock,
  type BreakStaleOptions,
  type DataDirLockNames,
  type DataDirLockOptions,
} from './data-dir-lock.ts'
export { exchange } from './exchange.ts'
export type { EditOptions, EditedFile } from './locked-file/edited-file.ts'
export { LockError, type LockErrorCode, type LockHolder } from './errors.ts'
export type { Holder } from './process/holder.ts'
export { isDescriptorFree } from './flock.ts'
export { inspect, type Inspection } from './process/inspect.ts'
export type { LockMode } from './lock-mode.ts'
export { Lock, type UpgradeOptions } from './lock.ts'
export { lockedFile } from './locked-file/locked-file.ts'
export { makeDirectories } from './make-directories.ts'
export { Mutex } from './waiting/mutex.ts'
export { PidFile, type PidFileOptions } from './process/pid-file.ts'
export {
  currentProcess,
  identifyProcess,
  isSameProcess,
  liveness,
  parseIdentity,
  toIdentity,
  type Liveness,
  type ProcessIdentity,
} from './process/process-identity.ts'
export { seeProcess, seeProcesses, type SeenProcess } from './process/seen-process.ts'
export { trySharedMemory } from './process/shared-memory.ts'
export { spawnedAs } from './process/spawned-as.ts'
export { formerMachineIds } from './process/surroundings.ts'
export type { AcquireOptions, Contention, TryOptions, WaitOptions } from './waiting/request.ts'
