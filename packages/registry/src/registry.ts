import type { DelegateOptions } from './delegate-options.ts'
import {
  StoreError,
  currentProcess,
  liveness,
  stateDirectory,
  type ProcessIdentity,
  type WaitOptions,
} from '@howdah/store'
import { join } from 'node:path'
import { AllocationGuard } from './allocation-guard.ts'
import { AllocationTable } from './allocation-table.ts'
import type { Allocation } from './allocation.ts'
import { canonicalPath } from './scopes/canonical-path.ts'
import type { Conflict } from './scopes/conflict.ts'
import { RegistryError } from './errors.ts'
import { effectivelyWrites, ownerOf } from './scopes/ownership.ts'
import { invalid, propose, requireSegmentId, toOwner, type RegisterOptions } from './proposal.ts'
import { RegistryDocument, warnOfRecovery, type TableRecovery } from './registry-document.ts'
import type { ScopeRule } from './scopes/scopes.ts'
import { canonicalRule } from './scopes/scope-rule.ts'
import { staleness, type Probe } from './stale.ts'

/** Options of a {@link Registry}. */
export interface RegistryOptions {
  /** The path of the table; by default `registry.json` in the state directory. */
  path?: string | undefined
  /**
   * Sync every change of the table, so that it survives a power failure. It costs milliseconds; `true` unless told
   * otherwise.
   */
  durable?: boolean | undefined
  /** Tells whether a process lives; by default the kernel is asked. */
  probe?: Probe | undefined
  /** Called after a damaged table was recovered; by default a process warning is emitted. */
  onRecovery?: ((recovery: TableRecovery) => void) | undefined
}

/** Options of {@link Registry.adopt}. */
export interface AdoptOptions extends WaitOptions {
  /** The new owner; this process unless told otherwise. */
  process?: ProcessIdentity | undefined
  /** The new segment; the segment of the reservation unless told otherwise. */
  segmentId?: number | undefined
}

const defaultLifetime = 60_000

/**
 * A table, shared by processes, of which process may write where. It is one JSON file under one lock, which is held only
 * during a change.
 *
 * For every path at most one live allocation has effective write access. The effective access is what its write rules allow,
 * without what its write rules deny, and without what is allowed to its descendants, at any depth. An allocation ends when it
 * is released, or with its process. Its parts then go to its parent.
 *
 * Besides the errors in its own description, every method that changes the table rejects with `ERR_REGISTRY_TABLE`,
 * `ERR_REGISTRY_TIMEOUT` (after 30 s by default), `ERR_REGISTRY_DAMAGED`, `ERR_REGISTRY_REVISION`, or the signal's reason.
 * Queries reject with the same errors except the timeout. Queries leave out dead processes, and change nothing.
 *
 * @example
 * const registry = new Registry()
 * await using allocation = await registry.register('worker', { allow: [write('/srv/data')] })
 */
export class Registry {
  readonly #document: RegistryDocument
  readonly #probe: Probe

  /** Throws `ERR_REGISTRY_NO_PLACE` if no path is given and there is no state directory. */
  constructor(options: RegistryOptions = {}) {
    const { path = defaultPath(), durable = true, probe = liveness } = options
    this.#document = new RegistryDocument(path, durable, options.onRecovery ?? warnOfRecovery)
    this.#probe = probe
  }

  /** The absolute path of the table. */
  get path(): string {
    return this.#document.path
  }

  /**
   * Reclaims the allocations of dead processes, and then allocates scopes to a process.
   *
   * Rejects with `ERR_REGISTRY_DUPLICATE`, `ERR_REGISTRY_SEGMENT_HELD` or `ERR_REGISTRY_CONFLICT`, in this order; and with
   * `ERR_REGISTRY_PATH` or `ERR_REGISTRY_OPTION`.
   */
  async register(name: string, options: RegisterOptions = {}): Promise<AllocationGuard> {
    const proposal = propose(name, options)
    return this.#guard(await this.#change((table) => table.register(proposal), options))
  }

  /**
   * Reserves a part of an allocation for a future child, so that nobody else gets that part. Give the child the guard's
   * `token`; the child adopts the reservation with it. Until then the reservation belongs to `process`.
   *
   * Rejects with `ERR_REGISTRY_UNKNOWN_PARENT`, `ERR_REGISTRY_DUPLICATE`, `ERR_REGISTRY_SEGMENT_HELD`,
   * `ERR_REGISTRY_NOT_A_SUBSET` if the parent does not effectively have these paths, or `ERR_REGISTRY_CONFLICT` if another
   * child has them, in this order.
   */
  async delegate(
    parent: string,
    child: string,
    options: DelegateOptions,
  ): Promise<AllocationGuard> {
    const { lifetime = defaultLifetime, parentToken } = options
    const proposal = propose(child, options)
    if (!(lifetime > 0 && lifetime <= 1e12))
      throw invalid(child, `a lifetime is a positive number of milliseconds, not ${lifetime}`)
    return this.#guard(
      await this.#change((table) => {
        const expiresAt = new Date(Date.now() + lifetime).toISOString()
        return table.delegate(parent, proposal, expiresAt, parentToken)
      }, options),
    )
  }

  /**
   * Takes over a reservation by its token. This can be done once. The returned guard has a new token.
   *
   * Rejects with `ERR_REGISTRY_UNKNOWN` if it has expired or its parent is dead, `ERR_REGISTRY_TOKEN`,
   * `ERR_REGISTRY_NOT_RESERVED` or `ERR_REGISTRY_SEGMENT_HELD`.
   */
  async adopt(name: string, token: string, options: AdoptOptions = {}): Promise<AllocationGuard> {
    const { process = currentProcess(), segmentId } = options
    requireSegmentId(name, segmentId)
    const owner = toOwner(name, process)
    return this.#guard(
      await this.#change((table) => table.adopt(name, token, owner, segmentId), options),
    )
  }

  /**
   * Gives an allocation another segment, or none.
   *
   * Rejects with `ERR_REGISTRY_UNKNOWN`, `ERR_REGISTRY_TOKEN` or `ERR_REGISTRY_SEGMENT_HELD`.
   */
  async updateSegment(
    name: string,
    token: string,
    segmentId: number | null,
    options: WaitOptions = {},
  ): Promise<Allocation> {
    requireSegmentId(name, segmentId ?? undefined)
    return this.#change((table) => table.updateSegment(name, token, segmentId), options)
  }

  /**
   * Gives an allocation to another process, with the same name and scopes and a new token.
   *
   * Rejects with `ERR_REGISTRY_UNKNOWN`, `ERR_REGISTRY_TOKEN`, or `ERR_REGISTRY_PROCESS_DEAD`.
   */
  async transfer(
    name: string,
    token: string,
    process: ProcessIdentity,
    options: WaitOptions = {},
  ): Promise<Allocation> {
    const owner = toOwner(name, process)
    return this.#change((table) => {
      const transferred = table.transfer(name, token, owner)
      if (this.#probe(transferred) !== 'dead') return transferred
      throw new RegistryError(
        'ERR_REGISTRY_PROCESS_DEAD',
        `cannot transfer ${JSON.stringify(name)}: process ${process.pid} is dead; start it first`,
      )
    }, options)
  }

  /**
   * Removes an allocation, and gives its children to its own parent. The token prevents the release of a successor with the
   * same name. `false`: there is no allocation with this name and token; it may have ended with its process.
   */
  async release(name: string, token: string, options: WaitOptions = {}): Promise<boolean> {
    return this.#change((table) => table.release(name, token) !== null, options)
  }

  /**
   * Takes back rules that a parent delegated to a child, or all of them. Idempotent; does nothing if the child is gone.
   * Returns the rest of the child, or `null`.
   *
   * Rejects with `ERR_REGISTRY_UNKNOWN` if there is no such parent, and `ERR_REGISTRY_DELEGATED_ON` if the child has
   * delegated a part of it further.
   */
  async reclaimDelegated(
    parent: string,
    child: string,
    rules?: readonly ScopeRule[],
    options: WaitOptions = {},
  ): Promise<Allocation | null> {
    const canonical = rules?.map(canonicalRule)
    return this.#change((table) => table.reclaimDelegated(parent, child, canonical), options)
  }

  /**
   * Removes the allocations of dead processes and the expired reservations, gives their children to the nearest living
   * ancestor, and returns the removed allocations.
   */
  async reclaimStale(probe: Probe = this.#probe, options: WaitOptions = {}): Promise<Allocation[]> {
    return this.#document.update(
      ({ allocations }) => new AllocationTable(allocations).removeAll(staleness(probe)),
      options,
    )
  }

  /** The allocation with a name; `null` if there is none. */
  async find(name: string): Promise<Allocation | null> {
    return (await this.list()).find((allocation) => allocation.name === name) ?? null
  }

  /** The allocation that has a segment; `null` if none has. */
  async findBySegment(segmentId: number): Promise<Allocation | null> {
    const holds = (one: Allocation) => one.segmentId !== undefined && one.segmentId === segmentId
    return (await this.list()).find(holds) ?? null
  }

  /** All allocations, as copies. */
  async list(): Promise<Allocation[]> {
    const { allocations } = await this.#document.read()
    new AllocationTable(allocations).removeAll(staleness(this.#probe))
    return allocations
  }

  /** The one allocation that effectively may write a path; `null` if none may. Rejects with `ERR_REGISTRY_PATH`. */
  async ownerOf(path: string): Promise<Allocation | null> {
    return ownerOf({ path: canonicalPath(path), below: 0 }, await this.list())
  }

  /** Whether an allocation effectively may write a path. Rejects with `ERR_REGISTRY_PATH`. */
  async canWrite(name: string, path: string): Promise<boolean> {
    const paths = { path: canonicalPath(path), below: 0 } as const
    const all = await this.list()
    return all.some((one) => one.name === name && effectivelyWrites(one, paths, all))
  }

  /** All conflicts that would prevent the registration of these scopes, with those of the deepest owners first. */
  async conflicts(options: Pick<RegisterOptions, 'allow' | 'deny'>): Promise<Conflict[]> {
    const { allow, deny } = propose('conflicts', options)
    return new AllocationTable(await this.list()).conflicts({ allow, deny })
  }

  async #change<Result>(
    change: (table: AllocationTable) => Result,
    options: WaitOptions,
  ): Promise<Result> {
    return this.#document.update(({ allocations }) => {
      const table = new AllocationTable(allocations)
      table.removeAll(staleness(this.#probe))
      return change(table)
    }, options)
  }

  #guard(allocation: Allocation): AllocationGuard {
    return new AllocationGuard(this, allocation)
  }
}

function defaultPath(): string {
  try {
    return join(stateDirectory(), 'registry.json')
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause
    const message = `cannot find a place for the table of allocations: ${cause.message}, or give a path`
    throw new RegistryError('ERR_REGISTRY_NO_PLACE', message, { cause })
  }
}
