import type { CheckName, FindingSubject, Severity } from './finding.ts'
import type { Scene } from './scene.ts'

/** What a check has found. */
export interface Complaint {
  readonly severity: Severity
  readonly subject: FindingSubject
  readonly what: string
  readonly cure: string
  /**
   * Mends it, after looking again, because all may have changed meanwhile. Resolves with why it was left alone, or with `null`
   * when it was mended. Missing if it is not safe to mend, or not provably ours.
   */
  readonly mend?: (() => Promise<string | null>) | undefined
}

/** One thing to look at. Looking changes nothing. */
export interface Check {
  readonly name: CheckName
  examine(scene: Scene): Promise<Complaint[]>
}
