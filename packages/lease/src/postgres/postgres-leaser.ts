import { randomUUID } from 'node:crypto'
import { GrantedLease, requireLease, type Lease, type LeaseReference } from '../lease.ts'
import type { Leaser, LeaseRequest, LeaseState } from '../leaser.ts'
import type { Terms } from '../terms.ts'
import type { LeaseRow, LeaseTable } from './lease-table.ts'
import {
  leaseCorrupt,
  leaseExists,
  leaseNotHeld,
  leaseReleased,
  storeUnavailable,
} from '../errors.ts'

/** How many times to ask for a lease that ended between two statements. */
const attempts = 20

/** A lease as a row in PostgreSQL; see `createPostgresLeaser`. */
export class PostgresLeaser implements Leaser, AsyncDisposable {
  readonly type = 'postgres'
  readonly place: string
  readonly ttl: number
  readonly maxTtl: number
  readonly clockSkew = 0
  readonly #rows: LeaseTable
  readonly #terms: Terms
  readonly #end: () => Promise<void>
  #closed: Promise<void> | undefined

  constructor(place: string, rows: LeaseTable, terms: Terms, end: () => Promise<void>) {
    this.place = place
    this.ttl = terms.ttl
    this.maxTtl = terms.maxTtl
    this.#rows = rows
    this.#terms = terms
    this.#end = end
  }

  async acquire({ ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    const lifetime = this.#terms.within(ttl)
    const nonce = randomUUID()
    for (let attempt = 0; attempt < attempts; attempt++) {
      const taken = await this.#rows.take(this.#terms.owner, nonce, lifetime, signal)
      if (taken !== null) {
        this.#terms.logger.debug?.(
          `acquired generation ${taken.generation} of the lease ${this.place}`,
        )
        return this.#lease(taken)
      }
      const row = await this.#rows.read(signal)
      if (row !== null) this.#refuseHeld(row)
    }
    throw storeUnavailable(this.place, `was changed by others ${attempts} times in a row`)
  }

  async renew(lease: LeaseReference, { ttl, signal }: LeaseRequest = {}): Promise<Lease> {
    requireLease(lease, 'renew')
    const lifetime = this.#terms.within(ttl)
    const row = await this.#rows.extend(lease.generation, lease.etag, lifetime, signal)
    if (row !== null) return this.#lease(row)
    const found = await this.#rows.read(signal)
    throw leaseNotHeld(
      this.place,
      lease.generation,
      found !== null && isSame(found, lease) ? 'it was released' : whose(found),
    )
  }

  async release(lease: LeaseReference, { signal }: LeaseRequest = {}): Promise<void> {
    requireLease(lease, 'release')
    const before = await this.#rows.read(signal)
    if (before === null || !isSame(before, lease)) {
      throw leaseNotHeld(this.place, lease.generation, whose(before))
    }
    if (before.expiresAt === 0) throw leaseReleased(this.place, lease.generation)
    if ((await this.#rows.free(lease.generation, lease.etag, signal)) === null) {
      const after = await this.#rows.read(signal)
      // If the row is still ours, a first copy of the statement has released it.
      if (after === null || !isSame(after, lease)) {
        throw leaseNotHeld(this.place, lease.generation, whose(after))
      }
    }
    this.#terms.logger.debug?.(`released generation ${lease.generation} of the lease ${this.place}`)
  }

  async inspect({ signal }: LeaseRequest = {}): Promise<LeaseState | null> {
    const row = await this.#rows.read(signal)
    if (row === null) return null
    this.#refuseUnreadable(row)
    const { generation, owner, expiresAt, now } = row
    const problem = this.#problemOf(row)
    return { generation, owner, expiresAt: new Date(expiresAt), held: expiresAt > now, problem }
  }

  async reset({ signal }: LeaseRequest = {}): Promise<void> {
    const row = await this.#rows.reset(this.#terms.owner, randomUUID(), signal)
    this.#terms.logger.warn?.(`reset the lease ${this.place} to generation ${row?.generation}`)
  }

  /** Closes the pool that was made for this leaser. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #refuseUnreadable({ generation, expiresAt }: LeaseRow): void {
    if (Number.isNaN(new Date(expiresAt).getTime())) {
      throw leaseCorrupt(this.place, `its expires_at is ${expiresAt}`)
    }
    if (generation <= 0n) {
      throw leaseCorrupt(this.place, `its generation is ${generation}`)
    }
  }

  /** Throws if somebody holds the lease, or if the row is invalid. */
  #refuseHeld(row: LeaseRow): void {
    this.#refuseUnreadable(row)
    const { owner, expiresAt, now } = row
    if (expiresAt < now) return
    const problem = this.#problemOf(row)
    if (problem !== null) throw leaseCorrupt(this.place, problem)
    throw leaseExists(this.place, owner, new Date(expiresAt))
  }

  #problemOf({ owner, expiresAt, now }: LeaseRow): string | null {
    if (expiresAt <= now + this.maxTtl + 1) return null
    return `${owner} claims it until ${new Date(expiresAt).toISOString()}, which is further away than the ${this.maxTtl} ms that are granted at most`
  }

  /** The lease of a row. Its clock is this machine's, shifted to the server's time in the answer. */
  #lease({ generation, owner, nonce, expiresAt, now }: LeaseRow): Lease {
    const { clock } = this.#terms
    const ahead = now - clock()
    return new GrantedLease(
      { generation, owner, nonce, etag: nonce, expiresAt: new Date(expiresAt) },
      () => clock() + ahead,
    )
  }
}

function isSame(row: LeaseRow, lease: LeaseReference): boolean {
  return row.generation === lease.generation && row.nonce === lease.etag
}

function whose(row: LeaseRow | null): string {
  return row === null
    ? 'nothing is stored any more'
    : `${row.owner} has generation ${row.generation}`
}
