import { etagRequired, leaseRequired } from './errors.ts'

/** Identifies one holding of a lease. It is enough to renew or release the lease, even from another process. */
export interface LeaseReference {
  /** The fencing token. It grows with every holder, and no number is used twice. */
  readonly generation: bigint
  /** The store's name for this state of the lease; opaque. */
  readonly etag: string
}

/** The right to act until a given moment. */
export interface Lease extends LeaseReference {
  /**
   * When the lease ends unless it is renewed, by the clock that decides in its store: the server's, or the contender's own.
   */
  readonly expiresAt: Date
  /** The name that the holder gives itself. It informs people and proves nothing. */
  readonly owner: string
  /**
   * Whether the lease has ended, by the leaser's clock. Before you act, call a hold's `check()`, which steps of the clock do
   * not deceive.
   */
  readonly isExpired: boolean
  /** Milliseconds until it ends, by the leaser's clock; never negative. */
  readonly remaining: number
}

/** A lease that was granted by a leaser of this package. */
export class GrantedLease implements Lease {
  readonly generation: bigint
  readonly expiresAt: Date
  readonly owner: string
  readonly etag: string
  /** Identifies this holding, across its renewals. */
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

/** Throws `ERR_LEASE_REQUIRED` or `ERR_LEASE_ETAG_REQUIRED` if the argument is not a complete lease. */
export function requireLease(lease: LeaseReference | null | undefined, what: string): void {
  if (typeof lease !== 'object' || lease === null) throw leaseRequired(what)
  if (typeof lease.etag !== 'string' || lease.etag === '') throw etagRequired(what)
  if (typeof lease.generation !== 'bigint') throw leaseRequired(what)
}
