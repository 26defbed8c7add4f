import { type Constraint, glob, version } from './constraint.ts'
import { ConstraintError } from '../errors.ts'
import { PartialVersion } from './partial-version.ts'
import { Version } from './version.ts'

/**
 * Reads a constraint as people write one: with a slash it is a glob over `bindir`, otherwise a version, such as `16`,
 * `16.3`, `9.6` or `17beta1`.
 *
 * Throws {@link ConstraintError} if it is neither.
 */
export function parseConstraint(text: string): Constraint {
  if (text.includes('/')) return glob(text)
  try {
    const exact = Version.parse(text)
    if (exact.prerelease && exact.toString() === text.trim()) return version(exact)
  } catch {
    // It may still be a partial one.
  }
  try {
    return version(PartialVersion.parse(text))
  } catch (cause) {
    const problem =
      'write a version, such as 16 or 16.3, or a glob with a slash, such as /opt/*/bin'
    throw new ConstraintError(text, problem, { cause })
  }
}
