import { randomBytes, randomUUID } from 'node:crypto'
import { GrantedLease, requireLease, type Lease, type LeaseReference } from '../lease.ts'
import type { Leaser, LeaseRequest, LeaseState } from '../leaser.ts'
import type { Terms } from '../terms.ts'
import type { EtcdGateway } from './etcd-gateway.ts'
import { EtcdKey, type KeyState } from './etcd-key.ts'
import { decodeValue, encodeValue, type EtcdValue } from './etcd-value.ts'
import {
  leaseCorrupt,
  leaseExists,
  leaseNotHeld,
  leaseReleased,
  storeUnavailable,
} from '../errors.ts'

/** How many times a change is tried if others are faster or etcd changes its leader. */
const attempts = 20

/**
 * How much more than `maxTtl` a sound lease may show, in ms: the server counts whole seconds, and grants at least one and a
 * half election timeouts.
 */
const rounding = 10_000

/** A lease as a key of etcd; see `createEtcdLeaser`. */
export class EtcdLeaser implements Leaser {
  readonly type = 'etcd'
  readonly place: string
  readonly ttl: number
  readonly maxTtl: number
  readonly clockSkew = 0
  readonly #key: EtcdKey
  readonly #terms: Terms

  constructor(place: string, key: string, gateway: EtcdGateway, terms: Terms) {
    this.place = place
    this.ttl = terms.ttl
    this.maxTtl = terms.maxTtl
    this.#key = new EtcdKey(key, gateway)
    this.#terms = terms
  }

  async acquire({ ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    const lifetime = this.#terms.within(ttl)
    const { owner } = this.#terms
    const mine: EtcdValue = { owner, nonce: randomUUID(), released: false }
    for (let attempt = 0; attempt < attempts; attempt++) {
      signal?.throwIfAborted()
      const { state } = await this.#key.read(signal)
      await this.#refuseHeld(state, signal)
      const leaseId = randomLeaseId()
      const now = this.#terms.clock()
      await this.#key.grant(leaseId, lifetime, signal)
      let generation: bigint | null = null
      try {
        generation = await this.#swap(state?.revision ?? 0n, mine, leaseId, signal)
      } finally {
        // The server's lease of an acquisition that failed or may have failed is revoked.
        if (generation === null) await this.#key.revoke(leaseId).catch(() => {})
      }
      if (generation !== null) {
        this.#terms.logger.debug?.(`acquired generation ${generation} of the lease ${this.place}`)
        return this.#lease(generation, leaseId, mine, now + lifetime)
      }
    }
    throw storeUnavailable(this.place, `was changed by others ${attempts} times in a row`)
  }

  async renew(lease: LeaseReference, { ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    requireLease(lease, 'renew')
    const lifetime = this.#terms.within(ttl)
    const leaseId = this.#leaseIdOf(lease)
    for (let attempt = 0; attempt < attempts; attempt++) {
      signal?.throwIfAborted()
      const now = this.#terms.clock()
      const kept = await this.#key.keepAlive(leaseId, signal)
      if (kept === null) throw leaseNotHeld(this.place, lease.generation, 'it expired')
      const { state, term } = await this.#key.read(signal)
      const value = this.#own(state, lease)
      if (value.released) {
        throw leaseNotHeld(this.place, lease.generation, 'it was released')
      }
      // A deposed leader that does not know of its successor yet still answers renewals, in vain. The read is confirmed by a
      // majority, so after such a change it would show a later term.
      if (kept.term === term) return this.#lease(lease.generation, leaseId, value, now + lifetime)
    }
    throw storeUnavailable(this.place, `changed its leader ${attempts} times in a row`)
  }

  async release(lease: LeaseReference, { signal }: LeaseRequest = {}): Promise<void> {
    requireLease(lease, 'release')
    const leaseId = this.#leaseIdOf(lease)
    const { state } = await this.#key.read(signal)
    // A release writes a new revision, which names the generation that it released.
    const value = this.#own(state, lease)
    if (value.released) throw leaseReleased(this.place, lease.generation)
    const freed = { ...value, released: true, generation: lease.generation }
    // The key stays, and is not bound to a lease any more.
    if ((await this.#swap(lease.generation, freed, 0n, signal)) === null) {
      throw leaseNotHeld(this.place, lease.generation, 'it expired')
    }
    await this.#key.revoke(leaseId, signal).catch(() => {})
    this.#terms.logger.debug?.(`released generation ${lease.generation} of the lease ${this.place}`)
  }

  async inspect({ signal }: LeaseRequest = {}): Promise<LeaseState | null> {
    const { state } = await this.#key.read(signal)
    if (state === null) return null
    const { owner, released, generation } = this.#decode(state)
    if (released) {
      return {
        generation: generation ?? state.revision,
        owner,
        expiresAt: new Date(0),
        held: false,
        problem: null,
      }
    }
    this.#refuseUnbound(state)
    const remaining = await this.#key.timeToLive(state.leaseId, signal)
    const expiresAt = new Date(this.#terms.clock() + (remaining ?? 0))
    const problem = this.#problemOf(owner, remaining ?? 0)
    return { generation: state.revision, owner, expiresAt, held: remaining !== null, problem }
  }

  async reset({ signal }: LeaseRequest = {}): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { state } = await this.#key.read(signal)
      const value = { owner: this.#terms.owner, nonce: randomUUID(), released: true }
      const revision = await this.#swap(state?.revision ?? 0n, value, 0n, signal)
      if (revision !== null) {
        this.#terms.logger.warn?.(`reset the lease ${this.place} at revision ${revision}`)
        return
      }
    }
    throw storeUnavailable(this.place, `was changed by others ${attempts} times in a row`)
  }

  /** Throws if somebody holds the lease, or if the stored state would block everybody for ever. */
  async #refuseHeld(state: KeyState | null, signal: AbortSignal | undefined): Promise<void> {
    if (state === null) return
    const { owner, released } = this.#decode(state)
    if (released) return
    this.#refuseUnbound(state)
    const remaining = (await this.#key.timeToLive(state.leaseId, signal)) ?? 0
    const problem = this.#problemOf(owner, remaining)
    if (problem !== null) throw leaseCorrupt(this.place, problem)
    throw leaseExists(this.place, owner, new Date(this.#terms.clock() + remaining))
  }

  #refuseUnbound(state: KeyState): void {
    if (state.leaseId !== 0n) return
    throw leaseCorrupt(this.place, 'its key is bound to no lease, so it would never end')
  }

  #problemOf(owner: string, remaining: number): string | null {
    if (remaining <= this.maxTtl + rounding) return null
    return `${owner} claims it for ${remaining} ms, which is more than the ${this.maxTtl} ms that are granted at most`
  }

  /** Swaps the key's value. After a refusal it checks whether a first copy of the same request was executed. */
  async #swap(
    revision: bigint,
    value: EtcdValue,
    leaseId: bigint,
    signal: AbortSignal | undefined,
  ): Promise<bigint | null> {
    const bytes = encodeValue(value)
    const swapped = await this.#key.swap(revision, bytes, leaseId, signal)
    if (swapped !== null) return swapped
    const { state } = await this.#key.read(signal)
    return state !== null && Buffer.compare(state.value, bytes) === 0 ? state.revision : null
  }

  /** The present value, if it belongs to this holding. */
  #own(state: KeyState | null, lease: LeaseReference): EtcdValue {
    if (state === null) {
      throw leaseNotHeld(this.place, lease.generation, 'it expired')
    }
    const value = this.#decode(state)
    const generation = value.released ? value.generation : state.revision
    if (generation === lease.generation) return value
    throw leaseNotHeld(
      this.place,
      lease.generation,
      value.released
        ? `${value.owner} released it later`
        : `${value.owner} has generation ${state.revision}`,
    )
  }

  #leaseIdOf(lease: LeaseReference): bigint {
    if (/^\d{1,19}$/.test(lease.etag)) return BigInt(lease.etag)
    throw leaseNotHeld(this.place, lease.generation, 'its etag is none of etcd’s')
  }

  #lease(
    generation: bigint,
    leaseId: bigint,
    { owner, nonce }: EtcdValue,
    expiresAt: number,
  ): Lease {
    return new GrantedLease(
      { generation, expiresAt: new Date(expiresAt), owner, etag: `${leaseId}`, nonce },
      this.#terms.clock,
    )
  }

  #decode(state: KeyState): EtcdValue {
    try {
      return decodeValue(state.value)
    } catch (error) {
      throw leaseCorrupt(this.place, (error as Error).message, error)
    }
  }
}

/** A random positive 63-bit number, so that a repeated grant is recognized. */
function randomLeaseId(): bigint {
  return (randomBytes(8).readBigUInt64BE() >> 1n) | 1n
}
