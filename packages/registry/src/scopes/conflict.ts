import type { ScopeRule } from './scopes.ts'

/** A pair of write rules of two allocations that cannot both exist. */
export interface Conflict {
  /** The name of the allocation that is in the way. */
  readonly owner: string
  readonly pid: number
  /** The requested rule. */
  readonly wanted: ScopeRule
  /** The owner's rule that covers the same path. */
  readonly held: ScopeRule
  /** A path that both cover and neither denies; `*` stands for any name. */
  readonly path: string
}
