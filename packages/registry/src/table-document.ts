import { parseIdentity, type StandardSchemaV1 } from '@howdah/store'
import type { Allocation } from './allocation.ts'
import { RegistryError } from './errors.ts'
import type { ScopeRule } from './scope-rule.ts'

const format = 'howdah registry'
const revision = 1

/** The table as its file has it. */
export interface TableDocument {
  readonly format: typeof format
  readonly revision: typeof revision
  readonly allocations: Allocation[]
}

/** A table without allocations. */
export function emptyTable(): TableDocument {
  return { format, revision, allocations: [] }
}

/** Tells a table from anything else. Throws `ERR_REGISTRY_REVISION` for what a later version wrote. */
export const tableSchema: StandardSchemaV1<TableDocument> = {
  '~standard': {
    version: 1,
    vendor: 'howdah',
    validate: (value) => {
      const fields = fieldsOf(value)
      if (fields?.['format'] !== format) return refuse('it is no table of allocations')
      requireRevision(fields['revision'])
      const list = fields['allocations']
      if (!Array.isArray(list)) return refuse('it has no list of allocations')
      const allocations = list.flatMap((item: unknown) => toAllocation(item) ?? [])
      if (allocations.length < list.length) return refuse('one of its allocations is none')
      if (new Set(allocations.map(({ name }) => name)).size < list.length)
        return refuse('two of its allocations have one name')
      return { value: { format, revision, allocations } }
    },
  },
}

function refuse(message: string): { issues: [{ message: string }] } {
  return { issues: [{ message }] }
}

function requireRevision(found: unknown): void {
  if (found === revision || typeof found !== 'number') return
  throw new RegistryError(
    'ERR_REGISTRY_REVISION',
    `the table of allocations has revision ${found}, and this version knows revision ${revision}; update @howdah/registry`,
  )
}

function toAllocation(value: unknown): Allocation | null {
  const fields = fieldsOf(value)
  const identity = parseIdentity(JSON.stringify(value))
  if (fields === null || identity === null) return null
  const { name, token, createdAt, socket, delegatedFrom, segmentId, expiresAt } = fields
  const allow = toRules(fields['allow'])
  const deny = toRules(fields['deny'])
  if (typeof name !== 'string' || typeof token !== 'string' || typeof createdAt !== 'string')
    return null
  if (allow === null || deny === null) return null
  if (![socket, delegatedFrom, expiresAt].every(isOptionalText)) return null
  if (segmentId !== undefined && typeof segmentId !== 'number') return null
  return {
    name,
    ...identity,
    ...(typeof socket === 'string' && { socket }),
    allow,
    deny,
    ...(segmentId !== undefined && { segmentId }),
    ...(typeof delegatedFrom === 'string' && { delegatedFrom }),
    ...(typeof expiresAt === 'string' && { expiresAt }),
    token,
    createdAt,
  }
}

function toRules(value: unknown): ScopeRule[] | null {
  if (!Array.isArray(value)) return null
  const rules = value.flatMap((item: unknown) => toRule(item) ?? [])
  return rules.length === value.length ? rules : null
}

function toRule(value: unknown): ScopeRule | null {
  const { target, permission, recursive } = fieldsOf(value) ?? {}
  if (typeof target !== 'string' || typeof recursive !== 'boolean') return null
  return permission === 'read' || permission === 'write' ? { target, permission, recursive } : null
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null
}
