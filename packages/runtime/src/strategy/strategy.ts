import type { ConstraintLike } from '../version/constraint-like.ts'
import type { Runtime } from '../runtime.ts'
import type { RuntimeProblem } from '../runtime-problem.ts'

/** Why a directory or package that looked like a runtime was left out. */
export interface Diagnosis {
  /** The name of the strategy that found it. */
  readonly strategy: string
  /** The directory of programs, package or cache. */
  readonly path: string
  readonly problem: RuntimeProblem
  /** A sentence that says what happened and what to do. */
  readonly message: string
}

/**
 * A place to look for runtimes.
 *
 * If the version of a runtime cannot be determined, the runtime is left out, and {@link Strategy.diagnose} says why. Each
 * call looks at everything anew, except that versions are cached. On Windows each method throws
 * `ERR_RUNTIME_UNSUPPORTED_PLATFORM`.
 */
export interface Strategy {
  /** A word for messages: `PATH`, `platform`, `installed`, `bundled`. */
  readonly name: string
  /** All runtimes, one for each directory, in the order of preference. */
  runtimes(): Promise<Runtime[]>
  /** The highest version that satisfies the constraint; `null` if none does. */
  select(constraint: ConstraintLike): Promise<Runtime | null>
  /** The runtime to use without a constraint; `null` if there is none. */
  fallback(): Promise<Runtime | null>
  /** The directories and packages that were left out, and why. */
  diagnose(): Promise<Diagnosis[]>
}
