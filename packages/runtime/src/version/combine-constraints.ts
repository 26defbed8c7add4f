import type { Constraint } from './constraint.ts'
import { type ConstraintLike, constraintOf } from './constraint-like.ts'

/** The runtimes that satisfy at least one of the constraints; without constraints, no runtime. */
export function any(...constraints: readonly ConstraintLike[]): Constraint {
  return { kind: 'any', constraints: constraints.map(constraintOf) }
}

/** The runtimes that satisfy all of the constraints; without constraints, every runtime. */
export function all(...constraints: readonly ConstraintLike[]): Constraint {
  return { kind: 'all', constraints: constraints.map(constraintOf) }
}

/** The runtimes that do not satisfy the constraint. */
export function not(constraint: ConstraintLike): Constraint {
  return { kind: 'not', constraint: constraintOf(constraint) }
}
