/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type LeaseErrorCode =
  | 'ERR_LEASE_ALREADY_RELEASED'
  | 'ERR_LEASE_COMMAND'
  | 'ERR_LEASE_CORRUPT'
  | 'ERR_LEASE_ETAG_REQUIRED'
  | 'ERR_LEASE_EXISTS'
  | 'ERR_LEASE_LOST'
  | 'ERR_LEASE_NOT_HELD'
  | 'ERR_LEASE_OPTION'
  | 'ERR_LEASE_PEER_MISSING'
  | 'ERR_LEASE_REQUIRED'
  | 'ERR_LEASE_STORE'
  | 'ERR_LEASE_STORE_UNSAFE'
  | 'ERR_LEASE_TIMEOUT'
  | 'ERR_LEASE_TTL_EXCEEDS_MAX'
  | 'ERR_LEASE_UNAVAILABLE'

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
type Fields = Omit<LeaseError, keyof Error | 'code'>

/** The class of all errors of this package. An error has a permanent code, and a message that ends in a remedy. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError'
  readonly code: LeaseErrorCode
  /**
   * `ERR_LEASE_EXISTS`, `ERR_LEASE_TIMEOUT`: the name that the holder gives itself, by default `host:pid`. It informs people
   * and proves nothing.
   */
  declare readonly owner?: string | undefined
  /** `ERR_LEASE_EXISTS`, `ERR_LEASE_TIMEOUT`: when the lease of that holder ends unless it is renewed. */
  declare readonly expiresAt?: Date | undefined
  /** `ERR_LEASE_NOT_HELD`, `ERR_LEASE_ALREADY_RELEASED`, `ERR_LEASE_LOST`: the generation that was held. */
  declare readonly generation?: bigint | undefined
  /** `ERR_LEASE_TTL_EXCEEDS_MAX`, in ms: the requested time. */
  declare readonly ttl?: number | undefined
  /** `ERR_LEASE_TTL_EXCEEDS_MAX`, in ms: the longest time that is granted. */
  declare readonly maxTtl?: number | undefined
  /** `ERR_LEASE_TIMEOUT`, in ms: the timeout of the wait. */
  declare readonly timeout?: number | undefined
  /** `ERR_LEASE_PEER_MISSING`: the name of the package to install. */
  declare readonly peer?: string | undefined
  /** `ERR_LEASE_COMMAND`: the system's code, such as `ENOENT` if there is no such command; empty if there is none. */
  declare readonly errno?: string | undefined

  constructor(
    code: LeaseErrorCode,
    message: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, fields)
  }
}

/** Somebody holds the lease, perhaps this process itself by an earlier acquisition. This is an expected outcome. */
export function leaseExists(place: string, owner: string, expiresAt: Date): LeaseError {
  return new LeaseError(
    'ERR_LEASE_EXISTS',
    `the lease ${place} is held by ${owner || 'somebody without a name'} until ${expiresAt.toISOString()}; wait for its end, or end that holder`,
    { owner, expiresAt },
  )
}

/** Another process holds the lease now, or the lease is gone. The holder must stop the work that it guards. */
export function leaseNotHeld(place: string, generation: bigint, what: string): LeaseError {
  return new LeaseError(
    'ERR_LEASE_NOT_HELD',
    `generation ${generation} of the lease ${place} is no longer held: ${what}; stop the work that it guards, and acquire it again`,
    { generation },
  )
}

/** The lease was already released. */
export function leaseReleased(place: string, generation: bigint): LeaseError {
  return new LeaseError(
    'ERR_LEASE_ALREADY_RELEASED',
    `generation ${generation} of the lease ${place} is released already; release it once`,
    { generation },
  )
}

/** `renew` or `release` was called without a lease. */
export function leaseRequired(what: string): LeaseError {
  return new LeaseError(
    'ERR_LEASE_REQUIRED',
    `${what} needs the lease that acquire or renew returned; pass it`,
  )
}

/** The lease given to `renew` or `release` has no etag, so it cannot be distinguished from the lease of another holder. */
export function etagRequired(what: string): LeaseError {
  return new LeaseError(
    'ERR_LEASE_ETAG_REQUIRED',
    `${what} needs a lease with its etag; pass what acquire or renew returned, whole`,
  )
}

/** The requested time is longer than the leaser ever grants. Nothing was sent. */
export function ttlExceedsMax(ttl: number, maxTtl: number): LeaseError {
  return new LeaseError(
    'ERR_LEASE_TTL_EXCEEDS_MAX',
    `a lease of ${ttl} ms exceeds the ${maxTtl} ms that are granted at most; ask for less and renew, or raise maxTtl for every contender`,
    { ttl, maxTtl },
  )
}

/** What is stored is not a lease, or claims a time that no leaser grants. Nobody acquires it until an operator resets it. */
export function leaseCorrupt(place: string, what: string, cause?: unknown): LeaseError {
  return new LeaseError(
    'ERR_LEASE_CORRUPT',
    `the lease ${place} is corrupt: ${what}; look at it with "howdah lease show" or inspect(), make sure that nobody holds it, and free it with "howdah lease reset" or reset()`,
    { cause },
  )
}

/**
 * The lease of a hold is lost, or its time is over. This error is the reason of `held.signal`, and `held.check()` throws it.
 */
export function leaseLost(generation: bigint, what: string, cause?: unknown): LeaseError {
  return new LeaseError(
    'ERR_LEASE_LOST',
    `generation ${generation} of the lease is lost: ${what}; stop the work that it guards, and acquire it again`,
    { cause, generation },
  )
}

/**
 * The lease was not acquired within `timeout` ms (0: at the first try). `cause` is the last refusal, with the holder if it is
 * known.
 */
export function leaseTimedOut(timeout: number, cause: LeaseError): LeaseError {
  const waited = timeout === 0 ? 'at once' : `within ${timeout} ms`
  const { owner, expiresAt } = cause
  return new LeaseError(
    'ERR_LEASE_TIMEOUT',
    `the lease was not acquired ${waited}: ${cause.message}`,
    { cause, timeout, owner, expiresAt },
  )
}

/** An option is invalid. */
export function meaninglessOption(message: string): LeaseError {
  return new LeaseError('ERR_LEASE_OPTION', message)
}

/** The store did not answer, or its answer was unclear and reading again did not settle it. Trying again may help. */
export function storeUnavailable(
  place: string,
  what: string,
  cause?: unknown,
  remedy = 'see that it is up and can be reached, then try again',
): LeaseError {
  return new LeaseError(
    'ERR_LEASE_UNAVAILABLE',
    `the store of the lease ${place} ${what}; ${remedy}`,
    { cause },
  )
}

/** The store refused, and will refuse again: no such directory, bucket or table, or no permission. */
export function storeRefused(place: string, what: string, cause?: unknown): LeaseError {
  return new LeaseError('ERR_LEASE_STORE', `the store of the lease ${place} refused: ${what}`, {
    cause,
  })
}

/** The store lacks something that a lease needs, such as refusing a stale condition. */
export function storeUnsafe(place: string, what: string, cause?: unknown): LeaseError {
  return new LeaseError(
    'ERR_LEASE_STORE_UNSAFE',
    `no lease can be kept at ${place}: ${what}; use a store that does this, or another backend`,
    { cause },
  )
}

/** A library that this backend needs is not installed. */
export function peerMissing(backend: string, peer: string, cause: unknown): LeaseError {
  return new LeaseError(
    'ERR_LEASE_PEER_MISSING',
    `the ${backend} backend needs ${peer}, which is not installed; run: npm install ${peer} (or: pnpm add ${peer})`,
    { cause, peer },
  )
}

/** The command could not be run, or its helper failed. */
export function commandFailed(message: string, errno: string, cause?: unknown): LeaseError {
  return new LeaseError('ERR_LEASE_COMMAND', message, { cause, errno })
}
