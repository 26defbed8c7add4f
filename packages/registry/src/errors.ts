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

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
type Fields = Omit<RegistryError, keyof Error | 'code'>

/**
 * The class of all errors of this package. An error has a permanent code, and a message that says what failed, why, and what
 * to do.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  /** `ERR_REGISTRY_DUPLICATE`: the name that is taken. */
  declare readonly allocation?: string | undefined
  /**
   * `ERR_REGISTRY_CONFLICT`, `ERR_REGISTRY_SEGMENT_HELD`: the name of the allocation in the way. For a conflict it is the
   * deepest owner: the allocation that has not delegated the path any further.
   */
  declare readonly owner?: string | undefined
  /** The process of the allocation in the way. */
  declare readonly pid?: number | undefined
  /** `ERR_REGISTRY_SEGMENT_HELD`: the segment that is taken. */
  declare readonly segmentId?: number | undefined
  /** `ERR_REGISTRY_CONFLICT`: the rule that was asked for. */
  declare readonly wanted?: ScopeRule | undefined
  /** `ERR_REGISTRY_CONFLICT`: the owner's rule that is in the way. */
  declare readonly held?: ScopeRule | undefined
  /** `ERR_REGISTRY_CONFLICT`: all conflicts, those of the deepest owners first; at least one. */
  declare readonly conflicts?: readonly Conflict[] | undefined
  /** `ERR_REGISTRY_NOT_A_SUBSET`: the name of the parent. */
  declare readonly parent?: string | undefined
  /** `ERR_REGISTRY_NOT_A_SUBSET`: the rule that goes too far. */
  declare readonly rule?: ScopeRule | undefined
  /** `ERR_REGISTRY_NOT_A_SUBSET`: a path that the parent does not have; `*` stands for any name. */
  declare readonly path?: string | undefined

  constructor(
    code: RegistryErrorCode,
    message: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, fields)
  }
}

/** Another allocation has the name. */
export function nameTaken(allocation: string, pid: number): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_DUPLICATE',
    `cannot allocate ${JSON.stringify(allocation)}: process ${pid} has an allocation of that name; ` +
      'choose another name, or end that process',
    { allocation, pid },
  )
}

/** Another allocation has the segment. */
export function segmentHeld(
  allocation: string,
  segmentId: number,
  { name: owner, pid }: { readonly name: string; readonly pid: number },
): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_SEGMENT_HELD',
    `cannot give segment ${segmentId} to ${JSON.stringify(allocation)}: ${JSON.stringify(owner)} of ` +
      `process ${pid} has it; choose another segment, or end that process`,
    { segmentId, owner, pid },
  )
}

/** Another allocation may write what was asked for. */
export function scopeConflict(
  allocation: string,
  conflicts: readonly [Conflict, ...Conflict[]],
): RegistryError {
  const [{ owner, pid, wanted, held, path }] = conflicts
  return new RegistryError(
    'ERR_REGISTRY_CONFLICT',
    `cannot let ${JSON.stringify(allocation)} write ${describeRule(wanted)}: ${JSON.stringify(owner)} of ` +
      `process ${pid} writes ${describeRule(held)}, and both cover ${path}; choose another path, deny that ` +
      'part, or end that process',
    { owner, pid, wanted, held, conflicts },
  )
}

/** A child was to get a path that its parent does not have. */
export function notASubset(
  parent: string,
  child: string,
  rule: ScopeRule,
  path: string,
): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_NOT_A_SUBSET',
    `cannot let ${JSON.stringify(child)} write ${describeRule(rule)}: ${JSON.stringify(parent)} has no write ` +
      `access to ${path}; delegate less, or deny that part`,
    { parent, rule, path },
  )
}

/** Describes a rule for messages. */
function describeRule({ target, recursive }: ScopeRule): string {
  return recursive ? `${target} and all below it` : `${target} and its direct children`
}
