import type { ProcessIdentity, StandardSchemaV1 } from '@howdah/store'
import type { Allocation } from './allocation.ts'
import { RegistryError } from './errors.ts'
import type { ScopeRule } from './scopes/scopes.ts'

const format = 'howdah registry'
const revision = 1

/** The content of the table's file. */
export interface TableDocument {
  readonly format: typeof format
  readonly revision: typeof revision
  readonly allocations: Allocation[]
}

/** A table without allocations. */
export function emptyTable(): TableDocument {
  return { format, revision, allocations: [] }
}

/** Checks that a document is a table. Throws `ERR_REGISTRY_REVISION` if a later version wrote it. */
export const tableSchema: StandardSchemaV1<TableDocument> = {
  '~standard': {
    version: 1,
    vendor: 'howdah',
    validate: (value) => {
      if (!isRecord(value) || value['format'] !== format)
        return refuse('it is not a table of allocations')
      requireRevision(value['revision'])
      const list = value['allocations']
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
  const identity = toIdentity(value)
  if (!isRecord(value) || identity === null) return null
  const { name, token, createdAt, socket, delegatedFrom, segmentId, expiresAt } = value
  const allow = toRules(value['allow'])
  const deny = toRules(value['deny'])
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

function toIdentity(value: unknown): ProcessIdentity | null {
  if (!isRecord(value)) return null
  const { pid, startTime = null, bootId = null, pidNamespace = null, machineId = null } = value
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null
  if (!isTextOrNull(startTime) || !isTextOrNull(bootId)) return null
  if (!isTextOrNull(pidNamespace) || !isTextOrNull(machineId)) return null
  return { pid, startTime, bootId, pidNamespace, machineId }
}

function toRules(value: unknown): ScopeRule[] | null {
  if (!Array.isArray(value)) return null
  const rules = value.flatMap((item: unknown) => toRule(item) ?? [])
  return rules.length === value.length ? rules : null
}

function toRule(value: unknown): ScopeRule | null {
  if (!isRecord(value)) return null
  const { target, permission, recursive } = value
  if (typeof target !== 'string' || typeof recursive !== 'boolean') return null
  return permission === 'read' || permission === 'write' ? { target, permission, recursive } : null
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
