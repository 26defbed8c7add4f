import type { ConstraintLike } from '../version/constraint-like.ts'
import type { Runtime } from '../runtime.ts'
import type { RuntimeProblem } from '../runtime-problem.ts'

/** Why something that looked like a runtime was left out. */
export interface Diagnosis {
  /** The name of the strategy that came across it. */
  readonly strategy: string
  /** The directory of programs, package or cache that it is about. */
  readonly path: string
  readonly problem: RuntimeProblem
  /** What happened and what to do, in a sentence. */
  readonly message: string
}

/**
 * A place to look for runtimes.
 *
 * A runtime whose version cannot be told is left out, and {@link Strategy.diagnose} says why. Everything is looked at
 * anew with each call, except that versions are cached. On Windows each method throws `ERR_RUNTIME_UNSUPPORTED_PLATFORM`.
 */
export interface Strategy {
  /** A word for messages: `PATH`, `platform`, `installed`, `bundled`. */
  readonly name: string
  /** All that there are, of each directory once, in the order of preference. */
  runtimes(): Promise<Runtime[]>
  /** The highest version that satisfies the constraint; `null` if none does. */
  select(constraint: ConstraintLike): Promise<Runtime | null>
  /** The one to use if nothing says which; `null` if there is none at all. */
  fallback(): Promise<Runtime | null>
  /** What was left out, and why. */
  diagnose(): Promise<Diagnosis[]>
}
