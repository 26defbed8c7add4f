import type { Allocation } from '../allocation.ts'
import { covers, type PathClass } from './path-class.ts'
import type { ScopeRule, Scopes } from './scopes.ts'

/** The rules about writing. Rules about reading have no influence on ownership. */
export function writeRules(rules: readonly ScopeRule[]): ScopeRule[] {
  return rules.filter(({ permission }) => permission === 'write')
}

/** Whether scopes allow writing the paths of a class, by their own rules. */
export function allows({ allow, deny }: Scopes, paths: PathClass): boolean {
  return mentions(allow, paths) && !mentions(deny, paths)
}

/** Whether a rule about writing covers a class. */
export function mentions(rules: readonly ScopeRule[], paths: PathClass): boolean {
  return rules.some((rule) => rule.permission === 'write' && covers(rule, paths))
}

/** The ancestors of an allocation, its parent first. */
export function ancestorsOf(
  { delegatedFrom }: Pick<Allocation, 'delegatedFrom'>,
  all: readonly Allocation[],
): Allocation[] {
  const ancestors: Allocation[] = []
  let name = delegatedFrom
  while (name !== undefined) {
    const parent = all.find((other) => other.name === name)
    if (parent === undefined || ancestors.includes(parent)) break
    ancestors.push(parent)
    name = parent.delegatedFrom
  }
  return ancestors
}

/** The descendants of an allocation: what it delegated, what those delegated, and so on. */
export function descendantsOf(allocation: Allocation, all: readonly Allocation[]): Allocation[] {
  const descendants = new Set<Allocation>()
  const names = new Set([allocation.name])
  for (let size = -1; size !== descendants.size;) {
    size = descendants.size
    for (const other of all) {
      if (other === allocation || !names.has(other.delegatedFrom ?? '')) continue
      descendants.add(other)
      names.add(other.name)
    }
  }
  return [...descendants]
}

/**
 * The allocation that effectively may write the paths of a class: its own rules allow them, and no rule of its descendants
 * mentions them. There is at most one.
 */
export function ownerOf(paths: PathClass, all: readonly Allocation[]): Allocation | null {
  return all.find((allocation) => effectivelyWrites(allocation, paths, all)) ?? null
}

/** Whether an allocation effectively may write the paths of a class. */
export function effectivelyWrites(
  allocation: Allocation,
  paths: PathClass,
  all: readonly Allocation[],
): boolean {
  return (
    allows(allocation, paths) &&
    !descendantsOf(allocation, all).some(({ allow }) => mentions(allow, paths))
  )
}
