import type { ScopeRule, Scopes } from './scopes.ts'
import { canonicalPath } from './canonical-path.ts'
import { RegistryError } from '../errors.ts'

/** Makes a rule about writing a path and, by default, everything below it. */
export function write(target: string, { recursive = true } = {}): ScopeRule {
  return { target, permission: 'write', recursive }
}

/** Makes a rule about reading a path and, by default, everything below it. Read rules never conflict. */
export function read(target: string, { recursive = true } = {}): ScopeRule {
  return { target, permission: 'read', recursive }
}

/** Checks a rule, and gives it a canonical target. Throws `ERR_REGISTRY_PATH` and `ERR_REGISTRY_OPTION`. */
export function canonicalRule(rule: ScopeRule): ScopeRule {
  const { target, permission, recursive } = rule
  if (!['read', 'write'].includes(permission) || typeof recursive !== 'boolean') {
    throw new RegistryError(
      'ERR_REGISTRY_OPTION',
      `cannot use ${JSON.stringify(rule)} as a rule: its permission is 'read' or 'write' and recursive is a boolean; ` +
        'use write() or read()',
    )
  }
  return { target: canonicalPath(target), permission, recursive }
}

/** All rules of scopes. */
export function rulesOf({ allow, deny }: Scopes): ScopeRule[] {
  return allow.concat(deny)
}

/** Whether two rules are equal. */
export function sameRule(one: ScopeRule, other: ScopeRule): boolean {
  return (
    one.target === other.target &&
    one.permission === other.permission &&
    one.recursive === other.recursive
  )
}
