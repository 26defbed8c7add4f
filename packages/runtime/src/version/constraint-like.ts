import { type Constraint, version } from './constraint.ts'
import { parseConstraint } from './parse-constraint.ts'

/** A constraint, or a number or text for one: `18`, `'18'`, `'16.3'`, `'/opt/postgresql'`, which `parseConstraint` reads. */
export type ConstraintLike = Constraint | string | number

/**
 * Converts to a constraint. Throws `ERR_RUNTIME_CONSTRAINT` if a text is not a constraint, and `ERR_RUNTIME_VERSION` if a
 * number is not a version.
 */
export function constraintOf(like: ConstraintLike): Constraint {
  if (typeof like === 'string') return parseConstraint(like)
  return typeof like === 'number' ? version(like) : like
}
