/** A part of the file system. */
export interface ScopeRule {
  /** An absolute path. */
  readonly target: string
  readonly permission: 'read' | 'write'
  /** `true`: the target and all below it. `false`: the target and its direct children. */
  readonly recursive: boolean
}

/** What a process may touch, and what it may not although it lies within. */
export interface Scopes {
  readonly allow: readonly ScopeRule[]
  readonly deny: readonly ScopeRule[]
}
