/** The names of the checks. They are permanent. */
export type CheckName =
  | 'locks'
  | 'stuck-servers'
  | 'stray-servers'
  | 'orphans'
  | 'shared-memory'
  | 'stale-pid-files'
  | 'stale-links'
  | 'lost-files'
  | 'unfinished-work'
  | 'permissions'
  | 'runtimes'
  | 'templates'
  | 'modes'
  | 'limits'
  | 'copied-alive'
  | 'turbo'

/**
 * The severity of a finding. `error`: something does not work. `warning`: something was left behind, or will do harm.
 * `unknown`: something could not be found out. `notice`: no problem, but worth knowing.
 */
export type Severity = 'error' | 'warning' | 'unknown' | 'notice'

/** The subject of a finding, if it has one. */
export interface FindingSubject {
  /** A data directory, a file, a directory of programs. */
  readonly path?: string | undefined
  readonly pid?: number | undefined
  /** The version of a runtime or a cluster. */
  readonly version?: string | undefined
  /** The id of a segment of System V shared memory. */
  readonly segment?: number | undefined
}

/** A result of a diagnosis. It is plain data. */
export interface Finding {
  readonly check: CheckName
  readonly severity: Severity
  readonly subject: FindingSubject
  /** The problem, in a sentence without its full stop. */
  readonly what: string
  /** What to do about it. */
  readonly cure: string
  /** Whether this user can mend it safely. */
  readonly fixable: boolean
  readonly fixed: boolean
  /** Why it could not be mended; otherwise `null`. */
  readonly obstacle: string | null
}

/** Whether the problem still exists. */
export function isWrong({ severity, fixed }: Pick<Finding, 'severity' | 'fixed'>): boolean {
  return severity !== 'notice' && !fixed
}
