import type { Lease, LeaseReference } from './lease.ts'
import type { Logger } from './logger.ts'

/** The options of every leaser. */
export interface LeaserOptions {
  /** How long a lease lasts, in milliseconds; 30,000 by default, or `maxTtl` if that is less. */
  readonly ttl?: number | undefined
  /** How long a lease may last at most, in milliseconds; 30,000 by default, and the same for every contender. */
  readonly maxTtl?: number | undefined
  /** The name of this holder; `host:pid` by default. It informs people and proves nothing. */
  readonly owner?: string | undefined
  readonly logger?: Logger | undefined
  /** The time in milliseconds since 1970; `Date.now` by default. */
  readonly clock?: (() => number) | undefined
}

/** The options of one request. */
export interface LeaseRequest {
  /** How long the lease lasts, in milliseconds, instead of the leaser's `ttl`. */
  readonly ttl?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The state of a lease as seen without holding it. */
export interface LeaseState {
  readonly generation: bigint
  readonly owner: string
  readonly expiresAt: Date
  /** Whether somebody holds the lease now. */
  readonly held: boolean
  /** Why nobody can acquire the lease by waiting, for example because its end is too far away; `null` for a sound lease. */
  readonly problem: string | null
}

/**
 * Grants one lease, in any kind of store.
 *
 * A generation has at most one holder, and generations only grow. Every method may also reject with `ERR_LEASE_UNAVAILABLE`
 * (try again), `ERR_LEASE_STORE` (trying again does not help) and the signal's reason.
 */
export interface Leaser {
  /** The kind of store: `file`, `s3`, `etcd`, `postgres`, or the name of another implementation. */
  readonly type: string
  /** The name of the lease in messages: a path, a URL, a key. */
  readonly place: string
  /** How long a lease lasts, in milliseconds. */
  readonly ttl: number
  /** How long a lease may last at most, in milliseconds. */
  readonly maxTtl: number
  /**
   * How far contenders' clocks may differ, in milliseconds. A holder gives up so much earlier. It is 0 if the server's clock
   * decides for all.
   */
  readonly clockSkew: number
  /**
   * Takes the lease if nobody holds it.
   *
   * Rejects with `ERR_LEASE_EXISTS` while somebody holds it, even if that is this process; with `ERR_LEASE_TTL_EXCEEDS_MAX`
   * before any I/O; and with `ERR_LEASE_CORRUPT` if the stored state is no lease.
   */
  acquire(request?: LeaseRequest): Promise<Lease>
  /**
   * Moves the end of the lease. An expired lease can be renewed if nobody has taken it. Rejects with `ERR_LEASE_NOT_HELD` if
   * another process holds it now, or it is gone.
   */
  renew(lease: LeaseReference, request?: LeaseRequest): Promise<Lease>
  /**
   * Ends the lease. Rejects with `ERR_LEASE_ALREADY_RELEASED` if it was released before, and with `ERR_LEASE_NOT_HELD` if
   * another process holds it now, or it is gone.
   */
  release(lease: LeaseReference, request?: Pick<LeaseRequest, 'signal'>): Promise<void>
  /** The stored state; `null` if nobody ever held the lease. Rejects with `ERR_LEASE_CORRUPT`. */
  inspect(request?: Pick<LeaseRequest, 'signal'>): Promise<LeaseState | null>
  /**
   * The last resort of an operator: frees the lease, whatever is stored and even if it is held. The generation still grows.
   *
   * The holder loses the lease without being asked, so make sure first that nobody acts under it.
   */
  reset(request?: Pick<LeaseRequest, 'signal'>): Promise<void>
}
