/** What is looked at, by the names that findings have. Permanent. */
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
 * How bad it is. `error`: something does not work. `warning`: something was left behind, or will do harm. `unknown`: it
 * could not be told, and why. `notice`: nothing is wrong, but worth knowing.
 */
export type Severity = 'error' | 'warning' | 'unknown' | 'notice'

/** What a finding is about, as far as there is such a thing. */
export interface FindingSubject {
  /** A data directory, a file, a directory of programs. */
  readonly path?: string | undefined
  readonly pid?: number | undefined
  /** Of a runtime or a cluster. */
  readonly version?: string | undefined
  /** The id of a segment of System V shared memory. */
  readonly segment?: number | undefined
}

/** Something that a diagnosis has found. Plain data. */
export interface Finding {
  readonly check: CheckName
  readonly severity: Severity
  readonly subject: FindingSubject
  /** What there is, in a sentence without its full stop. */
  readonly what: string
  /** What to do about it. */
  readonly cure: string
  /** Whether it is safe to mend, and of this user to mend. */
  readonly fixable: boolean
  readonly fixed: boolean
  /** Why it was left as it is although it was to be mended; otherwise `null`. */
  readonly obstacle: string | null
}

/** Whether something is wrong still. */
export function isWrong({ severity, fixed }: Pick<Finding, 'severity' | 'fixed'>): boolean {
  return severity !== 'notice' && !fixed
}
