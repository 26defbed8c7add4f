import type { Conflict } from './conflict.ts'
import type { Allocation } from '../allocation.ts'
import { ancestorsOf, allows, descendantsOf, mentions, writeRules } from './ownership.ts'
import { covers, describeClass, isWithin, pathClasses, type PathClass } from './path-class.ts'
import type { ScopeRule, Scopes } from './scopes.ts'
import { rulesOf } from './scope-rule.ts'

/**
 * All conflicts that prevent the allocation of scopes: every pair of write rules that share a path that neither side denies.
 * Those of the deepest owners come first.
 */
export function conflictsOf(
  wanted: Scopes,
  others: readonly Allocation[],
  all: readonly Allocation[],
): Conflict[] {
  return others
    .flatMap((other) => {
      const found = conflictsBetween(wanted, other)
      const depth = found.length > 0 ? ancestorsOf(other, all).length : 0
      return found.map((conflict) => ({ conflict, depth }))
    })
    .toSorted((one, other) => other.depth - one.depth)
    .map(({ conflict }) => conflict)
}

function conflictsBetween(ours: Scopes, theirs: Allocation): Conflict[] {
  const conflicts: Conflict[] = []
  for (const wanted of writeRules(ours.allow)) {
    for (const held of writeRules(theirs.allow)) {
      // Rules share a path only if one target lies within the other.
      if (!isWithin(wanted.target, held.target) && !isWithin(held.target, wanted.target)) continue
      const denied = [...ours.deny, ...theirs.deny]
      const shared = pathClasses([wanted, held, ...denied]).find(
        (paths) => covers(wanted, paths) && covers(held, paths) && !mentions(denied, paths),
      )
      if (shared === undefined) continue
      const { name: owner, pid } = theirs
      conflicts.push({ owner, pid, wanted, held, path: describeClass(shared) })
    }
  }
  return conflicts
}

/**
 * Finds a rule by which a child would get a path that its parent does not effectively have; `null` if there is none. Paths of
 * other children are left out, because those are conflicts.
 */
export function excessOf(
  wanted: Scopes,
  parent: Allocation,
  all: readonly Allocation[],
): { rule: ScopeRule; path: string } | null {
  const given = descendantsOf(parent, all)
  const rules = [wanted, parent, ...given].flatMap(rulesOf)
  const lacks = (paths: PathClass): boolean => {
    if (!allows(parent, paths)) return true
    // The parent has delegated the paths, and the child denies them, so nobody has them.
    const away = given.some(({ allow }) => mentions(allow, paths))
    return away && !given.some((other) => allows(other, paths))
  }
  const excess = pathClasses(rules).find((paths) => allows(wanted, paths) && lacks(paths))
  const rule = excess && writeRules(wanted.allow).find((one) => covers(one, excess))
  return excess && rule ? { rule, path: describeClass(excess) } : null
}
