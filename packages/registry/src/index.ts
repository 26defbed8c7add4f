export { AllocationGuard } from './allocation-guard.ts'
export type { Allocation } from './allocation.ts'
export type { Conflict } from './conflict.ts'
export {
  DuplicateNameError,
  NotASubsetError,
  RegistryError,
  ScopeConflictError,
  SegmentHeldError,
  type RegistryErrorCode,
} from './errors.ts'
export type { RegisterOptions } from './proposal.ts'
export type { TableRecovery } from './registry-document.ts'
export {
  Registry,
  type AdoptOptions,
  type DelegateOptions,
  type RegistryOptions,
} from './registry.ts'
export { read, write, type ScopeRule } from './scope-rule.ts'
export type { Probe } from './stale.ts'
