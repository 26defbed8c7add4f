import type { CheckName, FindingSubject, Severity } from './finding.ts'
import type { Scene } from './scene.ts'

/** A problem that a check has found. */
export interface Complaint {
  readonly severity: Severity
  readonly subject: FindingSubject
  readonly what: string
  readonly cure: string
  /**
   * Looks again, because everything may have changed meanwhile, and mends the problem. Gives `null` if it was mended, or the
   * reason why it was left alone. Missing if mending is not safe, or the thing is not provably ours.
   */
  readonly mend?: (() => Promise<string | null>) | undefined
}

/** A check. It changes nothing. */
export interface Check {
  readonly name: CheckName
  examine(scene: Scene): Promise<Complaint[]>
}
