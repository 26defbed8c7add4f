import { currentProcess, maxIdentity, type ProcessIdentity, type WaitOptions } from '@howdah/store'
import { RegistryError } from './errors.ts'
import type { ScopeRule, Scopes } from './scopes/scopes.ts'
import { canonicalRule } from './scopes/scope-rule.ts'
import { isIdentity } from './table-document.ts'

/** Options of {@link Registry.register}. */
export interface RegisterOptions extends WaitOptions {
  /** The paths that it may write and read; see `write()` and `read()`. None unless told otherwise. */
  allow?: readonly ScopeRule[] | undefined
  /** Paths that it may not write or read, although a rule of `allow` covers them. */
  deny?: readonly ScopeRule[] | undefined
  /** The owner; this process by default. The allocation ends when the owner dies. */
  process?: ProcessIdentity | undefined
  /** The address at which the owner can be reached. */
  socket?: string | undefined
  /** The segment of a store that belongs to it. */
  segmentId?: number | undefined
}

/** A checked request for an allocation. Its rules are canonical. */
export interface Proposal extends Scopes {
  readonly name: string
  readonly process: ProcessIdentity
  readonly socket?: string | undefined
  readonly segmentId?: number | undefined
}

/** Checks the options, and gives a proposal. Throws `ERR_REGISTRY_OPTION` and `ERR_REGISTRY_PATH`. */
export function propose(name: string, options: RegisterOptions): Proposal {
  const { allow = [], deny = [], process = currentProcess(), socket, segmentId } = options
  if (typeof name !== 'string' || name === '')
    throw invalid(name, 'a name is a text that is not empty')
  requireSegmentId(name, segmentId)
  if (socket !== undefined && typeof socket !== 'string')
    throw invalid(name, `a socket is a text, not ${String(socket)}`)
  return {
    name,
    process: toOwner(name, process),
    socket,
    segmentId,
    allow: allow.map(canonicalRule),
    deny: deny.map(canonicalRule),
  }
}

/** Throws `ERR_REGISTRY_OPTION` unless the number can be a segment. */
export function requireSegmentId(name: string, segmentId: number | undefined): void {
  if (segmentId === undefined) return
  if (Number.isInteger(segmentId) && segmentId >= 0 && segmentId <= maxIdentity) return
  throw invalid(name, `a segment is a whole number from 0 to ${maxIdentity}, not ${segmentId}`)
}

/** The owner of an allocation, without fields that do not belong to a process. Throws `ERR_REGISTRY_OPTION`. */
export function toOwner(
  name: string,
  process: Pick<ProcessIdentity, 'pid'> & Partial<ProcessIdentity>,
): ProcessIdentity {
  if (!isIdentity(process))
    throw invalid(name, 'its process is not what currentProcess() or identifyProcess() gives')
  const { pid, startTime = null, bootId = null, pidNamespace = null, machineId = null } = process
  return { pid, startTime, bootId, pidNamespace, machineId }
}

/** The error for an invalid option. */
export function invalid(name: string, why: string): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_OPTION',
    `cannot allocate ${JSON.stringify(name)}: ${why}; correct it`,
  )
}
