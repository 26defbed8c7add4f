import type { Conflict } from './scopes/conflict.ts'
import type { ScopeRule } from './scopes/scopes.ts'

/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type RegistryErrorCode =
  | 'ERR_REGISTRY_CONFLICT'
  | 'ERR_REGISTRY_DAMAGED'
  | 'ERR_REGISTRY_DELEGATED_ON'
  | 'ERR_REGISTRY_DUPLICATE'
  | 'ERR_REGISTRY_NOT_A_SUBSET'
  | 'ERR_REGISTRY_NOT_RESERVED'
  | 'ERR_REGISTRY_NO_PLACE'
  | 'ERR_REGISTRY_OPTION'
  | 'ERR_REGISTRY_PATH'
  | 'ERR_REGISTRY_PROCESS_DEAD'
  | 'ERR_REGISTRY_REVISION'
  | 'ERR_REGISTRY_SEGMENT_HELD'
  | 'ERR_REGISTRY_TABLE'
  | 'ERR_REGISTRY_TIMEOUT'
  | 'ERR_REGISTRY_TOKEN'
  | 'ERR_REGISTRY_UNKNOWN'
  | 'ERR_REGISTRY_UNKNOWN_PARENT'

/** What every error of this package derives from. Its message says what failed, why, and what to do. */
export class RegistryError extends Error {
  override readonly name: string = 'RegistryError'
  readonly code: RegistryErrorCode

  constructor(code: RegistryErrorCode, message: string, details: { cause?: unknown } = {}) {
    super(message, 'cause' in details ? details : undefined)
    this.code = code
  }
}

/** Another allocation has the name. */
export class DuplicateNameError extends RegistryError {
  override readonly name = 'DuplicateNameError'
  readonly allocation: string
  /** The process that has it. */
  readonly pid: number

  constructor(allocation: string, pid: number) {
    super(
      'ERR_REGISTRY_DUPLICATE',
      `cannot allocate ${JSON.stringify(allocation)}: process ${pid} has an allocation of that name; ` +
        'choose another name, or end that process',
    )
    this.allocation = allocation
    this.pid = pid
  }
}

/** Another allocation has the segment. */
export class SegmentHeldError extends RegistryError {
  override readonly name = 'SegmentHeldError'
  readonly segmentId: number
  /** The name of the allocation that has it. */
  readonly owner: string

  constructor(allocation: string, segmentId: number, owner: string, pid: number) {
    super(
      'ERR_REGISTRY_SEGMENT_HELD',
      `cannot give segment ${segmentId} to ${JSON.stringify(allocation)}: ${JSON.stringify(owner)} of ` +
        `process ${pid} has it; choose another segment, or end that process`,
    )
    this.segmentId = segmentId
    this.owner = owner
  }
}

/** Another allocation may write what was asked for. */
export class ScopeConflictError extends RegistryError {
  override readonly name = 'ScopeConflictError'
  /** The name of the deepest owner: the one that nobody in the way has delegated further. */
  readonly owner: string
  readonly pid: number
  /** The rule that was asked for. */
  readonly wanted: ScopeRule
  /** The owner's rule that is in the way. */
  readonly held: ScopeRule
  /** All conflicts, those of the deepest owners first; at least one. */
  readonly conflicts: readonly Conflict[]

  constructor(allocation: string, conflicts: readonly [Conflict, ...Conflict[]]) {
    const [{ owner, pid, wanted, held, path }] = conflicts
    super(
      'ERR_REGISTRY_CONFLICT',
      `cannot let ${JSON.stringify(allocation)} write ${describeRule(wanted)}: ${JSON.stringify(owner)} of ` +
        `process ${pid} writes ${describeRule(held)}, and both cover ${path}; choose another path, deny that ` +
        'part, or end that process',
    )
    this.owner = owner
    this.pid = pid
    this.wanted = wanted
    this.held = held
    this.conflicts = conflicts
  }
}

/** A child was to be given what its parent does not have. */
export class NotASubsetError extends RegistryError {
  override readonly name = 'NotASubsetError'
  readonly parent: string
  /** The rule that goes too far. */
  readonly rule: ScopeRule
  /** A path that the parent does not have; `*` stands for any name. */
  readonly path: string

  constructor(parent: string, child: string, rule: ScopeRule, path: string) {
    super(
      'ERR_REGISTRY_NOT_A_SUBSET',
      `cannot let ${JSON.stringify(child)} write ${describeRule(rule)}: ${JSON.stringify(parent)} has no write ` +
        `access to ${path}; delegate less, or deny that part`,
    )
    this.parent = parent
    this.rule = rule
    this.path = path
  }
}

/** A rule as messages have it. */
function describeRule({ target, recursive }: ScopeRule): string {
  return recursive ? `${target} and all below it` : `${target} and its direct children`
}
