import type { StandardSchemaV1 } from '@howdah/store'
import type { Allocation } from './allocation.ts'
import { RegistryError } from './errors.ts'

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
      const { revision: found, allocations } = value
      if (typeof found !== 'number') return refuse('its revision is no number')
      requireRevision(found)
      if (!Array.isArray(allocations)) return refuse('it has no list of allocations')
      if (!allocations.every(isAllocation)) return refuse('one of its allocations is none')
      if (new Set(allocations.map(({ name }) => name)).size < allocations.length)
        return refuse('two of its allocations have one name')
      return { value: { format, revision, allocations } }
    },
  },
}

function refuse(message: string): { issues: [{ message: string }] } {
  return { issues: [{ message }] }
}

function requireRevision(found: number): void {
  if (found === revision) return
  throw new RegistryError(
    'ERR_REGISTRY_REVISION',
    `the table of allocations has revision ${found}, and this version knows revision ${revision}; update @howdah/registry`,
  )
}

/** Whether a value is an allocation. What it does not say about its process is set to `null`: unknown. */
function isAllocation(value: unknown): value is Allocation {
  if (!isRecord(value) || !isIdentity(value)) return false
  value['startTime'] ??= null
  value['bootId'] ??= null
  value['pidNamespace'] ??= null
  value['machineId'] ??= null
  const { name, token, createdAt, socket, delegatedFrom, segmentId, expiresAt, allow, deny } = value
  return (
    typeof name === 'string' &&
    typeof token === 'string' &&
    typeof createdAt === 'string' &&
    isOptionalText(socket) &&
    isOptionalText(delegatedFrom) &&
    isOptionalText(expiresAt) &&
    (segmentId === undefined || typeof segmentId === 'number') &&
    isRules(allow) &&
    isRules(deny)
  )
}

/** Whether a value has the fields of a process; those that are unknown may be missing. */
export function isIdentity(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { pid, startTime, bootId, pidNamespace, machineId } = value
  return (
    typeof pid === 'number' &&
    Number.isInteger(pid) &&
    pid > 0 &&
    isOptionalText(startTime ?? undefined) &&
    isOptionalText(bootId ?? undefined) &&
    isOptionalText(pidNamespace ?? undefined) &&
    isOptionalText(machineId ?? undefined)
  )
}

function isRules(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRule)
}

function isRule(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { target, permission, recursive } = value
  return (
    typeof target === 'string' &&
    typeof recursive === 'boolean' &&
    (permission === 'read' || permission === 'write')
  )
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
