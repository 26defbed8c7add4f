import { currentProcess, maxIdentity, type ProcessIdentity, type WaitOptions } from '@howdah/store'
import { RegistryError } from './errors.ts'
import type { ScopeRule, Scopes } from './scopes/scopes.ts'
import { canonicalRule } from './scopes/scope-rule.ts'

/** Options of {@link Registry.register}. */
export interface RegisterOptions extends WaitOptions {
  /** What it may write and read; see `write()` and `read()`. Nothing unless told otherwise. */
  allow?: readonly ScopeRule[] | undefined
  /** What it may not, although a rule of `allow` covers it. */
  deny?: readonly ScopeRule[] | undefined
  /** The owner. The allocation ends when that process dies. This process, unless told otherwise. */
  process?: ProcessIdentity | undefined
  /** Where that process can be reached. */
  socket?: string | undefined
  /** The segment that it has in a store. */
  segmentId?: number | undefined
}

/** What an allocation is made of. Its rules are canonical. */
export interface Proposal extends Scopes {
  readonly name: string
  readonly process: ProcessIdentity
  readonly socket?: string | undefined
  readonly segmentId?: number | undefined
}

/** A checked proposal. Throws `ERR_REGISTRY_OPTION` and `ERR_REGISTRY_PATH`. */
export function propose(name: string, options: RegisterOptions): Proposal {
  const { allow = [], deny = [], process = currentProcess(), socket, segmentId } = options
  if (typeof name !== 'string' || name === '')
    throw invalid(name, 'a name is a text that is not empty')
  requireSegmentId(name, segmentId)
  return {
    name,
    process,
    socket,
    segmentId,
    allow: allow.map(canonicalRule),
    deny: deny.map(canonicalRule),
  }
}

/** Throws `ERR_REGISTRY_OPTION` for what cannot be a segment. */
export function requireSegmentId(name: string, segmentId: number | undefined): void {
  if (segmentId === undefined) return
  if (Number.isInteger(segmentId) && segmentId >= 0 && segmentId <= maxIdentity) return
  throw invalid(name, `a segment is a whole number from 0 to ${maxIdentity}, not ${segmentId}`)
}

/** What is thrown for an option that means nothing. */
export function invalid(name: string, why: string): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_OPTION',
    `cannot allocate ${JSON.stringify(name)}: ${why}; correct it`,
  )
}
