import { etagRequired, leaseRequired } from './errors.ts'

/** What names one holding of a lease; enough to renew or release it, from another process too. */
export interface LeaseReference {
  /** The fencing token: it grows with every holder, and is never used twice. */
  readonly generation: bigint
  /** What the store knows this lease by; opaque. */
  readonly etag: string
}

/** The right to act until a moment. */
export interface Lease extends LeaseReference {
  /** When it ends unless it is renewed, by the clock that its store is judged by. */
  readonly expiresAt: Date
  /** What the holder calls itself; for people, no proof. */
  readonly owner: string
  /** Whether it has ended, by the leaser's clock. Before acting ask a hold's `check()`, which no clock step deceives. */
  readonly isExpired: boolean
  /** Milliseconds until it ends, by the leaser's clock; never negative. */
  readonly remaining: number
}

/** A lease as this package's leasers grant it. */
export class GrantedLease implements Lease {
  readonly generation: bigint
  readonly expiresAt: Date
  readonly owner: string
  readonly etag: string
  /** Tells this holding from every other one, across its renewals. */
  readonly nonce: string
  readonly #clock: () => number

  constructor(
    fields: Pick<Lease, 'generation' | 'expiresAt' | 'owner' | 'etag'> & { nonce: string },
    clock: () => number,
  ) {
    this.generation = fields.generation
    this.expiresAt = fields.expiresAt
    this.owner = fields.owner
    this.etag = fields.etag
    this.nonce = fields.nonce
    this.#clock = clock
  }

  get isExpired(): boolean {
    return this.remaining === 0
  }

  get remaining(): number {
    return Math.max(0, this.expiresAt.getTime() - this.#clock())
  }
}

/** Refuses what is not a lease, before any I/O, with `ERR_LEASE_REQUIRED` or `ERR_LEASE_ETAG_REQUIRED`. */
export function requireLease(lease: LeaseReference | null | undefined, what: string): void {
  if (typeof lease !== 'object' || lease === null) throw leaseRequired(what)
  if (typeof lease.etag !== 'string' || lease.etag === '') throw etagRequired(what)
  if (typeof lease.generation !== 'bigint') throw leaseRequired(what)
}
