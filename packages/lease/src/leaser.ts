import type { Lease, LeaseReference } from './lease.ts'
import type { Logger } from './logger.ts'

/** What every leaser can be told. */
export interface LeaserOptions {
  /** How long a lease lasts, in milliseconds; 30,000 by default, or `maxTtl` if that is less. */
  readonly ttl?: number | undefined
  /** How long a lease may last at most, in milliseconds; 30,000 by default, and the same for every contender. */
  readonly maxTtl?: number | undefined
  /** What this holder calls itself; `host:pid` by default. Written for people, no proof. */
  readonly owner?: string | undefined
  readonly logger?: Logger | undefined
  /** The time in milliseconds since 1970; `Date.now` by default. */
  readonly clock?: (() => number) | undefined
}

/** What one request can be told. */
export interface LeaseRequest {
  /** Instead of the leaser's own, in milliseconds. */
  readonly ttl?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What is known of a lease without holding it. */
export interface LeaseState {
  readonly generation: bigint
  readonly owner: string
  readonly expiresAt: Date
  /** Whether somebody holds it just now. */
  readonly held: boolean
  /** Why nobody could acquire it by waiting, such as an end that is too far away; `null` for a sound lease. */
  readonly problem: string | null
}

/**
 * Grants one lease, whatever store it is kept in.
 *
 * There is at most one holder of a generation, and generations only grow. Every method may also throw
 * `ERR_LEASE_UNAVAILABLE` (try again), `ERR_LEASE_STORE` (it will not help) and the signal's reason.
 */
export interface Leaser {
  /** What keeps the lease: `file`, `s3`, `etcd`, `postgres`, or what another implementation calls itself. */
  readonly type: string
  /** What names the lease in messages: a path, a URL, a key. */
  readonly place: string
  /** How long a lease lasts, in milliseconds. */
  readonly ttl: number
  /** How long a lease may last at most, in milliseconds. */
  readonly maxTtl: number
  /**
   * How far contenders' clocks may be apart, in milliseconds. A holder gives up this much earlier; 0 if one clock,
   * the server's, judges for all.
   */
  readonly clockSkew: number
  /**
   * Takes the lease if nobody holds it.
   *
   * Throws `ERR_LEASE_EXISTS` while somebody does, this very holder included; `ERR_LEASE_TTL_EXCEEDS_MAX` before any I/O;
   * `ERR_LEASE_CORRUPT` if what is stored is not a lease.
   */
  acquire(request?: LeaseRequest): Promise<Lease>
  /**
   * Moves the end of the lease. Also an expired one, while nobody took it. Throws `ERR_LEASE_NOT_HELD` once it is another's, or
   * gone.
   */
  renew(lease: LeaseReference, request?: LeaseRequest): Promise<Lease>
  /**
   * Ends the lease. Throws `ERR_LEASE_ALREADY_RELEASED` if that was done, and `ERR_LEASE_NOT_HELD` if it is another's, or
   * gone.
   */
  release(lease: LeaseReference, request?: Pick<LeaseRequest, 'signal'>): Promise<void>
  /** What is stored; `null` if nobody ever held the lease. Throws `ERR_LEASE_CORRUPT`. */
  inspect(request?: Pick<LeaseRequest, 'signal'>): Promise<LeaseState | null>
  /**
   * An operator's way out: makes the lease free, whatever is stored and even if it is held. The generation still grows.
   *
   * The holder loses it without being asked, so make sure first that nobody acts under it.
   */
  reset(request?: Pick<LeaseRequest, 'signal'>): Promise<void>
}
