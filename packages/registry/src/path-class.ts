import { dirname } from 'node:path'
import type { ScopeRule } from './scopes.ts'

/**
 * Paths that the same rules cover: a path itself (0), what lies directly in it under a name that no rule mentions (1), or
 * what lies further below such a name (2).
 */
export interface PathClass {
  readonly path: string
  readonly below: 0 | 1 | 2
}

/**
 * Classes such that any two paths in one are covered by the same of these rules, and every path is in one or is covered
 * by none of them. So what holds of each class holds of each of the infinitely many paths.
 */
export function pathClasses(rules: Iterable<ScopeRule>): PathClass[] {
  const paths = new Set<string>()
  const targets = [...rules].map(({ target }) => target)
  for (const target of targets) {
    // What lies between two targets is told apart, too; what lies above all of them is covered by none.
    for (let path = target; !paths.has(path); path = dirname(path)) {
      paths.add(path)
      if (!targets.some((other) => other !== path && isWithin(path, other))) break
    }
  }
  return [...paths].flatMap((path) => ([0, 1, 2] as const).map((below) => ({ path, below })))
}

/** Whether a rule covers the paths of a class. */
export function covers({ target, recursive }: ScopeRule, { path, below }: PathClass): boolean {
  if (recursive) return isWithin(path, target)
  return below === 0
    ? path === target || (path !== '/' && dirname(path) === target)
    : below === 1 && path === target
}

/** Whether a path is another one, or lies below it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || above === '/' || (path.startsWith(above) && path[above.length] === '/')
}

/** A class as messages have it; `*` stands for any name. */
export function describeClass({ path, below }: PathClass): string {
  return (path === '/' && below > 0 ? '' : path) + '/*'.repeat(below)
}
