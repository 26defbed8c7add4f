import { dirname } from 'node:path'
import type { ScopeRule } from './scopes.ts'

/**
 * Paths that the same rules cover: the target of a rule (0), what lies directly in that and is not a target (1), or what lies
 * further below and has no other target above it (2).
 */
export interface PathClass {
  readonly path: string
  readonly below: 0 | 1 | 2
}

/**
 * Classes such that any two paths in one are covered by the same of these rules, and every path is in one or is covered
 * by none of them: a path is in a class of the nearest target that it is or lies below. So what holds of each class holds
 * of each of the infinitely many paths.
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

/** Whether a path is another one, or lies below it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || above === '/' || (path.startsWith(above) && path[above.length] === '/')
}

/** A class as messages have it; `*` stands for any name. */
export function describeClass({ path, below }: PathClass): string {
  return (path === '/' && below > 0 ? '' : path) + '/*'.repeat(below)
}
