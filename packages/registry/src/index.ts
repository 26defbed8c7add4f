export { AllocationGuard } from './allocation-guard.ts'
export type { Allocation } from './allocation.ts'
export type { Conflict } from './scopes/conflict.ts'
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
export type { DelegateOptions } from './delegate-options.ts'
export { Registry, type AdoptOptions, type RegistryOptions } from './registry.ts'
export type { ScopeRule } from './scopes/scopes.ts'
export { read, write } from './scopes/scope-rule.ts'
export type { Probe } from './stale.ts'
