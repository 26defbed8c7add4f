import { randomUUID } from 'node:crypto'
import { GrantedLease, requireLease, type Lease, type LeaseReference } from './lease.ts'
import type { Leaser, LeaseRequest, LeaseState } from './leaser.ts'
import { decodeRecord, encodeRecord, released, type LeaseRecord } from './record.ts'
import type { Absent, RecordStore, Stored } from './record-store.ts'
import type { Terms } from './terms.ts'
import { errno } from '@howdah/durable'
import {
  leaseCorrupt,
  leaseExists,
  leaseNotHeld,
  leaseReleased,
  storeUnavailable,
} from './errors.ts'

/** How many swaps in a row may fail because others were faster, before the store counts as too busy. */
const attempts = 100

/** A leaser on one record, which contenders read and swap. Each contender uses its own clock. */
export class RecordLeaser<Version> implements Leaser {
  readonly type: string
  readonly place: string
  readonly ttl: number
  readonly maxTtl: number
  readonly clockSkew: number
  readonly #store: RecordStore<Version>
  readonly #terms: Terms

  constructor(type: string, store: RecordStore<Version>, terms: Terms) {
    this.type = type
    this.place = store.place
    this.ttl = terms.ttl
    this.maxTtl = terms.maxTtl
    this.clockSkew = terms.clockSkew
    this.#store = store
    this.#terms = terms
  }

  async acquire({ ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    const lifetime = this.#terms.within(ttl)
    const nonce = randomUUID()
    const lease = await this.#change(signal, (current, now) => {
      const record = current.bytes === null ? null : this.#decode(current.bytes)
      if (record !== null && record.expiresAt > now) {
        const problem = this.#problemOf(record, now)
        if (problem !== null) throw leaseCorrupt(this.place, problem)
        throw leaseExists(this.place, record.owner, new Date(record.expiresAt))
      }
      const generation = (record?.generation ?? 0n) + 1n
      return { generation, expiresAt: now + lifetime, owner: this.#terms.owner, nonce }
    })
    this.#terms.logger.debug?.(`acquired generation ${lease.generation} of the lease ${this.place}`)
    return lease
  }

  async renew(lease: LeaseReference, { ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    requireLease(lease, 'renew')
    const lifetime = this.#terms.within(ttl)
    return this.#change(signal, (current, now) => {
      const record = this.#own(current, lease)
      if (record.expiresAt === released) {
        throw leaseNotHeld(this.place, lease.generation, 'it was released')
      }
      // A record that another program wrote without a nonce gets one, so that no two of its states are equal.
      return { ...record, expiresAt: now + lifetime, nonce: record.nonce ?? randomUUID() }
    })
  }

  async release(lease: LeaseReference, { signal }: LeaseRequest = {}): Promise<void> {
    requireLease(lease, 'release')
    let tried = false
    try {
      await this.#change(signal, (current, now) => {
        const record = this.#own(current, lease)
        if (record.expiresAt === released) {
          throw leaseReleased(this.place, lease.generation)
        }
        tried = record.expiresAt > now
        return { ...record, expiresAt: released, nonce: record.nonce ?? randomUUID() }
      })
    } catch (error) {
      // The holder had the lease and tried to release it, and now another process has it. The release was probably done, and
      // the next change came before the store could confirm it.
      if (!(tried && errno(error) === 'ERR_LEASE_NOT_HELD')) throw error
    }
    this.#terms.logger.debug?.(`released generation ${lease.generation} of the lease ${this.place}`)
  }

  async inspect({ signal }: LeaseRequest = {}): Promise<LeaseState | null> {
    await this.#store.ready?.()
    const current = await this.#store.read(signal)
    if (current.bytes === null) return null
    const record = this.#decode(current.bytes)
    const { generation, owner, expiresAt } = record
    const now = this.#terms.clock()
    const problem = this.#problemOf(record, now)
    return { generation, owner, expiresAt: new Date(expiresAt), held: expiresAt > now, problem }
  }

  async reset({ signal }: LeaseRequest = {}): Promise<void> {
    const nonce = randomUUID()
    const { generation } = await this.#change(signal, (current) => ({
      generation: this.#generationAfter(current),
      expiresAt: released,
      owner: this.#terms.owner,
      nonce,
    }))
    this.#terms.logger.warn?.(`reset the lease ${this.place} to generation ${generation}`)
  }

  #problemOf({ owner, expiresAt }: LeaseRecord, now: number): string | null {
    if (expiresAt <= now + this.maxTtl + this.clockSkew) return null
    return `${owner} claims it until ${new Date(expiresAt).toISOString()}, which is further away than the ${this.maxTtl} ms that are granted at most`
  }

  /**
   * A generation higher than all that were used. If the record cannot be read, it is the time in milliseconds, because no
   * lease is acquired a thousand times a second for decades.
   */
  #generationAfter(current: Stored<Version> | Absent<Version>): bigint {
    if (current.bytes === null) return 1n
    try {
      return decodeRecord(current.bytes).generation + 1n
    } catch {
      return BigInt(Math.round(this.#terms.clock()))
    }
  }

  /** Replaces the present state by the result of `decide`, and tries again while others are faster. */
  async #change(
    signal: AbortSignal | undefined,
    decide: (current: Stored<Version> | Absent<Version>, now: number) => LeaseRecord,
  ): Promise<GrantedLease> {
    await this.#store.ready?.()
    for (let attempt = 0; attempt < attempts; attempt++) {
      signal?.throwIfAborted()
      // The time is read before the request, so that the lease ends for this holder no later than for the others.
      const now = this.#terms.clock()
      const current = await this.#store.read(signal)
      const next = decide(current, now)
      const swapped = await this.#store.swap(current, encodeRecord(next), signal)
      // After a release, another change may follow at once. If a change followed anything else, another process holds the
      // lease now.
      if (swapped !== null && (swapped.present || next.expiresAt === released)) {
        const { generation, owner, nonce } = next
        const expiresAt = new Date(next.expiresAt)
        return new GrantedLease(
          { generation, expiresAt, owner, etag: swapped.etag, nonce: nonce ?? '' },
          this.#terms.clock,
        )
      }
    }
    throw storeUnavailable(this.place, `was changed by others ${attempts} times in a row`)
  }

  /** The present record, if it belongs to this holding. */
  #own(current: Stored<Version> | Absent<Version>, lease: LeaseReference): LeaseRecord {
    if (current.bytes === null) {
      throw leaseNotHeld(this.place, lease.generation, 'nothing is stored any more')
    }
    const record = this.#decode(current.bytes)
    // The nonce is compared, too, because a renewal may have been done although its answer was lost.
    const same =
      current.etag === lease.etag ||
      (lease instanceof GrantedLease && lease.nonce !== '' && lease.nonce === record.nonce)
    if (same && record.generation === lease.generation) return record
    throw leaseNotHeld(
      this.place,
      lease.generation,
      `${record.owner} has generation ${record.generation}`,
    )
  }

  #decode(bytes: Uint8Array): LeaseRecord {
    try {
      return decodeRecord(bytes)
    } catch (error) {
      throw leaseCorrupt(this.place, (error as Error).message, error)
    }
  }
}
