import { randomBytes } from 'node:crypto'
import type { ProcessIdentity } from '@howdah/store'
import { isReservation, type Allocation } from './allocation.ts'
import type { Conflict } from './scopes/conflict.ts'
import { conflictsOf, excessOf } from './scopes/conflicts.ts'
import { RegistryError, nameTaken, notASubset, scopeConflict, segmentHeld } from './errors.ts'
import { allows, ancestorsOf, descendantsOf } from './scopes/ownership.ts'
import { pathClasses } from './scopes/path-class.ts'
import type { Proposal } from './proposal.ts'
import type { ScopeRule, Scopes } from './scopes/scopes.ts'
import { rulesOf, sameRule } from './scopes/scope-rule.ts'

/**
 * The allocations in memory, and the operations on them. An operation that fails changes nothing.
 *
 * Two rules hold. If neither of two allocations is a part of the other, they allow no common path. If one is a part of the
 * other, the other allows every path that the part allows. From these rules follows the invariant: at most one allocation
 * effectively writes a path.
 */
export class AllocationTable {
  readonly #all: Allocation[]

  /** The operations change the given array. */
  constructor(allocations: Allocation[]) {
    this.#all = allocations
  }

  find(name: string): Allocation | null {
    return this.#all.find((allocation) => allocation.name === name) ?? null
  }

  /** Adds an allocation that is not part of another one. */
  register(proposal: Proposal): Allocation {
    this.#requireFreeName(proposal.name)
    this.#requireFreeSegment(proposal.name, proposal.segmentId)
    this.#requireNoConflict(proposal, this.#all)
    return this.#add(proposal, {})
  }

  /** All conflicts that prevent the registration of these scopes. */
  conflicts(wanted: Scopes): Conflict[] {
    return conflictsOf(wanted, this.#all, this.#all)
  }

  /** Adds a reservation that is part of another allocation. If `token` is given, it must be the parent's. */
  delegate(parentName: string, proposal: Proposal, expiresAt: string, token?: string): Allocation {
    const parent = this.find(parentName)
    if (parent === null || (token !== undefined && parent.token !== token)) {
      throw new RegistryError(
        'ERR_REGISTRY_UNKNOWN_PARENT',
        `cannot delegate to ${JSON.stringify(proposal.name)}: there is no allocation ` +
          `${JSON.stringify(parentName)}${parent ? ' with that token' : ''}; register it first`,
      )
    }
    this.#requireFreeName(proposal.name)
    this.#requireFreeSegment(proposal.name, proposal.segmentId)
    const excess = excessOf(proposal, parent, this.#all)
    if (excess !== null) throw notASubset(parentName, proposal.name, excess.rule, excess.path)
    const above = new Set([parent, ...ancestorsOf(parent, this.#all)])
    this.#requireNoConflict(
      proposal,
      this.#all.filter((other) => !above.has(other)),
    )
    return this.#add(proposal, { delegatedFrom: parentName, expiresAt })
  }

  /** Turns a reservation into an allocation of another process, with a new token. */
  adopt(name: string, token: string, owner: ProcessIdentity, segmentId?: number): Allocation {
    const reservation = this.#require('adopt', name, token)
    if (!isReservation(reservation)) {
      throw new RegistryError(
        'ERR_REGISTRY_NOT_RESERVED',
        `cannot adopt ${JSON.stringify(name)}: process ${reservation.pid} has it; only a reservation can be adopted, once`,
      )
    }
    this.#requireFreeSegment(name, segmentId)
    const { expiresAt: _, ...rest } = reservation
    return this.#replace(reservation, {
      ...rest,
      ...owner,
      ...(segmentId === undefined ? {} : { segmentId }),
      token: newToken(),
    })
  }

  /** Gives an allocation another segment, or none. */
  updateSegment(name: string, token: string, segmentId: number | null): Allocation {
    const allocation = this.#require('change the segment of', name, token)
    this.#requireFreeSegment(name, segmentId ?? undefined)
    const { segmentId: _, ...rest } = allocation
    return this.#replace(allocation, segmentId === null ? rest : { ...rest, segmentId })
  }

  /** Gives an allocation to another process, with a new token. */
  transfer(name: string, token: string, owner: ProcessIdentity): Allocation {
    const allocation = this.#require('transfer', name, token)
    return this.#replace(allocation, { ...allocation, ...owner, token: newToken() })
  }

  /** Removes an allocation, and gives its parts to its parent. `null`: there is none with this name and token. */
  release(name: string, token: string): Allocation | null {
    const allocation = this.find(name)
    if (allocation?.token !== token) return null
    this.removeAll((other) => other === allocation)
    return allocation
  }

  /**
   * Takes back rules that a parent delegated to a child, or all of them. If no rule is left, the child is removed. Returns
   * the rest of the child; `null` if nothing is left or there was no such child.
   */
  reclaimDelegated(parent: string, child: string, rules?: readonly ScopeRule[]): Allocation | null {
    if (this.find(parent) === null) throw unknown('take back from', parent)
    const allocation = this.find(child)
    if (allocation?.delegatedFrom !== parent) return null
    const allow = allocation.allow.filter(
      (rule) => rules && !rules.some((one) => sameRule(rule, one)),
    )
    if (allow.length === 0) {
      this.removeAll((other) => other === allocation)
      return null
    }
    if (allow.length === allocation.allow.length) return allocation
    const left = { ...allocation, allow }
    const outside = descendantsOf(allocation, this.#all).filter((part) => !isPart(part, left))
    if (outside.length > 0) {
      throw new RegistryError(
        'ERR_REGISTRY_DELEGATED_ON',
        `cannot take back from ${JSON.stringify(child)}: it delegated of it to ` +
          `${outside.map(({ name }) => JSON.stringify(name)).join(', ')}; take that back first, or everything`,
      )
    }
    return this.#replace(allocation, left)
  }

  /**
   * Removes allocations, and gives the parts of each to its nearest ancestor that stays. The result does not depend on the
   * order of the list or on the number of generations that are removed at once.
   */
  removeAll(isGone: (allocation: Allocation) => boolean): Allocation[] {
    const gone = new Set(this.#all.filter(isGone))
    if (gone.size === 0) return []
    const kept = this.#all.flatMap((allocation) => {
      if (gone.has(allocation)) return []
      if (allocation.delegatedFrom === undefined) return [allocation]
      const parent = ancestorsOf(allocation, this.#all).find((above) => !gone.has(above))
      const { delegatedFrom: _, ...rest } = allocation
      return [parent === undefined ? rest : { ...rest, delegatedFrom: parent.name }]
    })
    this.#all.splice(0, this.#all.length, ...kept)
    return [...gone]
  }

  #add(
    { name, process, socket, segmentId, allow, deny }: Proposal,
    place: Pick<Allocation, 'delegatedFrom' | 'expiresAt'>,
  ): Allocation {
    const allocation: Allocation = {
      name,
      ...process,
      ...(socket === undefined ? {} : { socket }),
      allow,
      deny,
      ...(segmentId === undefined ? {} : { segmentId }),
      ...place,
      token: newToken(),
      createdAt: new Date().toISOString(),
    }
    this.#all.push(allocation)
    return allocation
  }

  #replace(old: Allocation, allocation: Allocation): Allocation {
    this.#all[this.#all.indexOf(old)] = allocation
    return allocation
  }

  #require(doing: string, name: string, token: string): Allocation {
    const allocation = this.find(name)
    if (allocation === null) throw unknown(doing, name)
    if (allocation.token === token) return allocation
    throw new RegistryError(
      'ERR_REGISTRY_TOKEN',
      `cannot ${doing} ${JSON.stringify(name)}: process ${allocation.pid} has it now, with another token; ` +
        'only who has the token may',
    )
  }

  #requireFreeName(name: string): void {
    const other = this.find(name)
    if (other !== null) throw nameTaken(name, other.pid)
  }

  #requireFreeSegment(name: string, segmentId: number | undefined): void {
    if (segmentId === undefined) return
    const other = this.#all.find((one) => one.segmentId === segmentId && one.name !== name)
    if (other) throw segmentHeld(name, segmentId, other)
  }

  #requireNoConflict(proposal: Proposal, others: readonly Allocation[]): void {
    const [first, ...more] = conflictsOf(proposal, others, this.#all)
    if (first) throw scopeConflict(proposal.name, [first, ...more])
  }
}

/** Whether the whole allows everything that the part allows. */
function isPart(part: Scopes, whole: Scopes): boolean {
  const rules = [part, whole].flatMap(rulesOf)
  return pathClasses(rules).every((paths) => !allows(part, paths) || allows(whole, paths))
}

function newToken(): string {
  return randomBytes(16).toString('hex')
}

function unknown(doing: string, name: string): RegistryError {
  return new RegistryError(
    'ERR_REGISTRY_UNKNOWN',
    `cannot ${doing} ${JSON.stringify(name)}: there is no such allocation; it may have been released, or have ` +
      'expired, or its process may be dead; register it again',
  )
}
