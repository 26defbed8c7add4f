import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Runtime } from '../runtime.ts'
import { type ConstraintLike, constraintOf } from './constraint-like.ts'
import { Version } from './version.ts'

/** Whether a runtime satisfies a constraint. */
export function satisfies(
  runtime: Pick<Runtime, 'bindir' | 'version'>,
  like: ConstraintLike,
): boolean {
  const constraint = constraintOf(like)
  switch (constraint.kind) {
    case 'anything':
      return true
    case 'nothing':
      return false
    case 'version':
      return constraint.version instanceof Version
        ? constraint.version.compare(runtime.version) === 0
        : constraint.version.matches(runtime.version)
    case 'glob':
      return placesOf(runtime.bindir).some((path) => constraint.test(path))
    case 'directory':
      return isIn(runtime.bindir, constraint.path)
    case 'any':
      return constraint.constraints.some((one) => satisfies(runtime, one))
    case 'all':
      return constraint.constraints.every((one) => satisfies(runtime, one))
    case 'not':
    default:
      return !satisfies(runtime, constraint.constraint)
  }
}

/** The paths that people use for these programs. */
function placesOf(bindir: string): string[] {
  return basename(bindir) === 'bin' ? [bindir, dirname(bindir)] : [bindir]
}

/** Links count as what they lead to: the same server makes the same runtime. */
function isIn(bindir: string, path: string): boolean {
  if (placesOf(bindir).includes(path)) return true
  const server = realServer(bindir)
  return server !== null && [path, join(path, 'bin')].some((one) => realServer(one) === server)
}

function realServer(bindir: string): string | null {
  try {
    return realpathSync.native(join(bindir, 'postgres'))
  } catch {
    return null
  }
}

/** A constraint in words, for messages: `16 or not 15.3`. */
export function describeConstraint(like: ConstraintLike): string {
  const constraint = constraintOf(like)
  const group = (one: ConstraintLike): string => {
    const { kind } = constraintOf(one)
    return kind === 'any' || kind === 'all'
      ? `(${describeConstraint(one)})`
      : describeConstraint(one)
  }
  switch (constraint.kind) {
    case 'anything':
    case 'nothing':
      return constraint.kind
    case 'version':
      return constraint.version.toString()
    case 'glob':
      return constraint.pattern
    case 'directory':
      return constraint.path
    case 'any':
      return constraint.constraints.map(group).join(' or ') || 'nothing'
    case 'all':
      return constraint.constraints.map(group).join(' and ') || 'anything'
    case 'not':
    default:
      return `not ${group(constraint.constraint)}`
  }
}
