import { createRequire } from 'node:module'
import type Picomatch from 'picomatch'
import { ConstraintError } from '../errors.ts'
import { PartialVersion } from './partial-version.ts'
import type { Runtime } from '../runtime.ts'
import { Version } from './version.ts'

/** Which runtimes will do. Made by the functions below, or read from a text by `parseConstraint`. */
export type Constraint =
  | { readonly kind: 'version'; readonly version: PartialVersion | Version }
  | { readonly kind: 'glob'; readonly pattern: string; readonly test: (path: string) => boolean }
  | { readonly kind: 'any'; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'all'; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'not'; readonly constraint: Constraint }
  | { readonly kind: 'anything' }
  | { readonly kind: 'nothing' }

/** Every runtime will do. */
export const anything: Constraint = { kind: 'anything' }

/** No runtime will do. */
export const nothing: Constraint = { kind: 'nothing' }

/**
 * The runtimes of a version: `version('16')` are all 16.x, `version('16.3')` and `version(Version.parse('17beta1'))`
 * are just that. Throws `VersionError` if a text or a number is none.
 */
export function version(wanted: PartialVersion | Version | string | number): Constraint {
  const parsed =
    wanted instanceof Version || wanted instanceof PartialVersion
      ? wanted
      : PartialVersion.parse(wanted)
  return { kind: 'version', version: parsed }
}

/**
 * The runtimes whose `bindir` matches a glob, in which `*` and `?` do not cross a `/`, `**` does, and `{a,b}` and `[ab]`
 * mean what they do in a shell. Names that begin with a dot are matched as well.
 *
 * Throws {@link ConstraintError} for a pattern that is empty or cannot be read.
 */
export function glob(pattern: string): Constraint {
  // A bindir never ends with a slash.
  const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern
  if (trimmed === '') throw new ConstraintError(pattern, 'the pattern is empty')
  try {
    // Loaded on use: most who look for a runtime do so by its version.
    const require = createRequire(import.meta.url)
    const picomatch = require('picomatch') as typeof Picomatch
    const test = picomatch(trimmed, { dot: true, strictBrackets: true })
    return { kind: 'glob', pattern, test: (path) => test(path) }
  } catch (cause) {
    throw new ConstraintError(pattern, cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  }
}

/** The runtimes that satisfy at least one of the constraints; without any, none does. */
export function any(...constraints: readonly Constraint[]): Constraint {
  return { kind: 'any', constraints }
}

/** The runtimes that satisfy each of the constraints; without any, all do. */
export function all(...constraints: readonly Constraint[]): Constraint {
  return { kind: 'all', constraints }
}

/** The runtimes that do not satisfy the constraint. */
export function not(constraint: Constraint): Constraint {
  return { kind: 'not', constraint }
}

/** Whether a runtime satisfies a constraint. */
export function satisfies(
  runtime: Pick<Runtime, 'bindir' | 'version'>,
  constraint: Constraint,
): boolean {
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
      return constraint.test(runtime.bindir)
    case 'any':
      return constraint.constraints.some((one) => satisfies(runtime, one))
    case 'all':
      return constraint.constraints.every((one) => satisfies(runtime, one))
    case 'not':
    default:
      return !satisfies(runtime, constraint.constraint)
  }
}

/** A constraint in words, for messages: `16 or not 15.3`. */
export function describeConstraint(constraint: Constraint): string {
  const group = (one: Constraint): string =>
    one.kind === 'any' || one.kind === 'all'
      ? `(${describeConstraint(one)})`
      : describeConstraint(one)
  switch (constraint.kind) {
    case 'anything':
    case 'nothing':
      return constraint.kind
    case 'version':
      return constraint.version.toString()
    case 'glob':
      return constraint.pattern
    case 'any':
      return constraint.constraints.map(group).join(' or ') || 'nothing'
    case 'all':
      return constraint.constraints.map(group).join(' and ') || 'anything'
    case 'not':
    default:
      return `not ${group(constraint.constraint)}`
  }
}
