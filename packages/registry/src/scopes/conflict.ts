import type { ScopeRule } from './scopes.ts'

/** Two that may not both be. */
export interface Conflict {
  /** The name of the allocation that is in the way. */
  readonly owner: string
  readonly pid: number
  /** The rule that was asked for. */
  readonly wanted: ScopeRule
  /** The owner's rule that covers the same path. */
  readonly held: ScopeRule
  /** A path that both cover and neither denies; `*` stands for any name. */
  readonly path: string
}
