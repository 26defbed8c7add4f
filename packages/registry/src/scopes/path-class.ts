import { dirname } from 'node:path'
import type { ScopeRule } from './scopes.ts'

/**
 * A set of paths that are covered by the same rules: the target of a rule itself (`below` is 0), the paths directly in it
 * that are no targets (1), or the paths further below for which it is the nearest target (2).
 */
export interface PathClass {
  readonly path: string
  readonly below: 0 | 1 | 2
}

/**
 * Divides all paths that rules cover into classes. A path belongs to a class of the nearest target at or above it. The paths
 * of a class are covered by the same rules, so a statement that is checked for every class holds for each of the infinitely
 * many paths.
 */
export function pathClasses(rules: Iterable<ScopeRule>): PathClass[] {
  const targets = new Set([...rules].map(({ target }) => target))
  return [...targets].flatMap((path) => ([0, 1, 2] as const).map((below) => ({ path, below })))
}

/** Whether a rule covers the paths of a class. */
export function covers({ target, recursive }: ScopeRule, { path, below }: PathClass): boolean {
  if (recursive) return isWithin(path, target)
  return below === 0 ? path === target || dirname(path) === target : below === 1 && path === target
}

/** Whether a path is equal to another one or lies below it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || above === '/' || (path.startsWith(above) && path[above.length] === '/')
}

/** Describes a class for messages; `*` stands for any name. */
export function describeClass({ path, below }: PathClass): string {
  return (path === '/' && below > 0 ? '' : path) + '/*'.repeat(below)
}
