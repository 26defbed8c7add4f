import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type Picomatch from 'picomatch'
import { PartialVersion } from './partial-version.ts'
import { Version } from './version.ts'
import { notAConstraint } from '../errors.ts'

/**
 * Says which runtimes are acceptable. Functions such as `version` and `all` make it, or `parseConstraint` reads it from a
 * text.
 */
export type Constraint =
  | { readonly kind: 'version'; readonly version: PartialVersion | Version }
  | { readonly kind: 'glob'; readonly pattern: string; readonly test: (path: string) => boolean }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'any'; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'all'; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'not'; readonly constraint: Constraint }
  | { readonly kind: 'anything' }
  | { readonly kind: 'nothing' }

/** Accepts every runtime. */
export const anything: Constraint = { kind: 'anything' }

/** Accepts no runtime. */
export const nothing: Constraint = { kind: 'nothing' }

/**
 * The runtimes of a version: `version('16')` accepts all 16.x, `version('16.3')` and `version(Version.parse('17beta1'))`
 * accept only that version. Throws `ERR_RUNTIME_VERSION` if a text or a number is not a version.
 */
export function version(wanted: PartialVersion | Version | string | number): Constraint {
  const parsed =
    wanted instanceof Version || wanted instanceof PartialVersion
      ? wanted
      : PartialVersion.parse(wanted)
  return { kind: 'version', version: parsed }
}

/**
 * The runtime in this directory, which is the directory of its programs or the parent of its `bin`. Strategies need not look
 * there: see `runtimeIn`. A relative path is relative to the working directory.
 *
 * Throws `ERR_RUNTIME_CONSTRAINT` for an empty path.
 */
export function directory(path: string): Constraint {
  if (path === '') throw notAConstraint(path, 'the path is empty')
  return { kind: 'directory', path: resolve(path) }
}

/**
 * The runtimes with a directory that matches a glob: `bindir`, or its parent if `bindir` is a `bin`. `*` and `?` do not cross
 * a `/`, `**` does, and `{a,b}` and `[ab]` mean what they do in a shell. Names that begin with a dot are matched.
 *
 * Throws `ERR_RUNTIME_CONSTRAINT` for a pattern that is empty or cannot be read.
 */
export function glob(pattern: string): Constraint {
  // A bindir never ends with a slash.
  const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern
  if (trimmed === '') throw notAConstraint(pattern, 'the pattern is empty')
  try {
    // Loaded on use, because most searches for a runtime are by version.
    const require = createRequire(import.meta.url)
    const picomatch = require('picomatch') as typeof Picomatch
    const test = picomatch(trimmed, { dot: true, strictBrackets: true })
    return { kind: 'glob', pattern, test: (path) => test(path) }
  } catch (cause) {
    throw notAConstraint(pattern, cause instanceof Error ? cause.message : String(cause), cause)
  }
}
