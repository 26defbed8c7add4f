/** A rule about a part of the file system. */
export interface ScopeRule {
  /** An absolute path. */
  readonly target: string
  readonly permission: 'read' | 'write'
  /** `true`: the target and all below it. `false`: the target and its direct children. */
  readonly recursive: boolean
}

/** The paths that a process may use, and exceptions within them. */
export interface Scopes {
  readonly allow: readonly ScopeRule[]
  readonly deny: readonly ScopeRule[]
}
