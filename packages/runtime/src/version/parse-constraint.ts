import { resolve } from 'node:path'
import { type Constraint, directory, glob, version } from './constraint.ts'
import { PartialVersion } from './partial-version.ts'
import { Version } from './version.ts'
import { notAConstraint } from '../errors.ts'

/**
 * Reads a constraint from a text. A text with a slash is a directory, with or without its `bin`, or a glob of directories if
 * it contains one of `*?[{`. Any other text is a version, such as `16`, `16.3`, `9.6` or `17beta1`. A directory is relative
 * to `cwd`, by default the working directory.
 *
 * Throws `ERR_RUNTIME_CONSTRAINT` if it is none of these.
 */
export function parseConstraint(text: string, { cwd = '' }: { cwd?: string } = {}): Constraint {
  if (text.includes('/')) return /[*?[{]/.test(text) ? glob(text) : directory(resolve(cwd, text))
  try {
    const exact = Version.parse(text)
    if (exact.prerelease && exact.toString() === text.trim()) return version(exact)
  } catch {
    // The text may still be a partial version.
  }
  try {
    return version(PartialVersion.parse(text))
  } catch (cause) {
    const problem =
      'write a version, such as 16 or 16.3, a directory, such as /opt/postgresql, or a glob of directories, such as /opt/*/bin'
    throw notAConstraint(text, problem, cause)
  }
}
