import { type Constraint, version } from './constraint.ts'
import { parseConstraint } from './parse-constraint.ts'

/** A constraint, or what stands for one: `18`, `'18'`, `'16.3'`, `'/opt/postgresql'`, as `parseConstraint` reads it. */
export type ConstraintLike = Constraint | string | number

/**
 * The constraint itself. Throws `ERR_RUNTIME_CONSTRAINT` for a text that is not one, and `ERR_RUNTIME_VERSION` for such a number.
 */
export function constraintOf(like: ConstraintLike): Constraint {
  if (typeof like === 'string') return parseConstraint(like)
  return typeof like === 'number' ? version(like) : like
}
