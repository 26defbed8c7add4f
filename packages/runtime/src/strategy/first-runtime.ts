import type { ConstraintLike } from '../version/constraint-like.ts'
import { satisfies } from '../version/satisfies.ts'
import type { Runtime } from '../runtime.ts'
import type { Version } from '../version/version.ts'
import { isNotARuntime } from '../errors.ts'

/** A tree of programs. Asking for its runtime checks it, and may make it. */
interface Tree {
  readonly version: Version
  readonly bindir: string
  runtime(): Promise<Runtime>
}

/**
 * The runtime in the first tree that satisfies the constraint; `null` if there is none. Skips damaged trees. Throws other
 * errors of a tree that satisfies the constraint.
 */
export async function firstRuntime(
  trees: Iterable<Tree>,
  constraint: ConstraintLike,
): Promise<Runtime | null> {
  for (const tree of trees) {
    if (!satisfies(tree, constraint)) continue
    try {
      return await tree.runtime()
    } catch (error) {
      if (!isNotARuntime(error)) throw error
    }
  }
  return null
}
