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

/** What every error of this package derives from. */
export class LeaseError extends Error {
  override readonly name: string = 'LeaseError'
  readonly code: LeaseErrorCode

  constructor(code: LeaseErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Somebody holds the lease; that may be this very process, under an earlier acquisition. An expected outcome. */
export class LeaseExistsError extends LeaseError {
  override readonly name = 'LeaseExistsError'
  /** What the holder calls itself, by default `host:pid`; for people, no proof. */
  readonly owner: string
  /** When the lease ends unless it is renewed. */
  readonly expiresAt: Date

  constructor(place: string, owner: string, expiresAt: Date) {
    super(
      'ERR_LEASE_EXISTS',
      `the lease ${place} is held by ${owner || 'somebody without a name'} until ${expiresAt.toISOString()}; wait for its end, or end that holder`,
    )
    this.owner = owner
    this.expiresAt = expiresAt
  }
}

/** The lease is another's by now, or gone. Whatever it guards must not be touched any more. */
export class LeaseNotHeldError extends LeaseError {
  override readonly name = 'LeaseNotHeldError'
  /** The generation that was held. */
  readonly generation: bigint

  constructor(place: string, generation: bigint, what: string) {
    super(
      'ERR_LEASE_NOT_HELD',
      `generation ${generation} of the lease ${place} is no longer held: ${what}; stop the work that it guards, and acquire it again`,
    )
    this.generation = generation
  }
}

/** The lease was released before. */
export class LeaseAlreadyReleasedError extends LeaseError {
  override readonly name = 'LeaseAlreadyReleasedError'
  /** The generation that was released. */
  readonly generation: bigint

  constructor(place: string, generation: bigint) {
    super(
      'ERR_LEASE_ALREADY_RELEASED',
      `generation ${generation} of the lease ${place} is released already; release it once`,
    )
    this.generation = generation
  }
}

/** `renew` or `release` was called without a lease. */
export class LeaseRequiredError extends LeaseError {
  override readonly name = 'LeaseRequiredError'

  constructor(what: string) {
    super('ERR_LEASE_REQUIRED', `${what} needs the lease that acquire or renew returned; pass it`)
  }
}

/** The lease given to `renew` or `release` has no etag, so nothing tells it from another's. */
export class LeaseEtagRequiredError extends LeaseError {
  override readonly name = 'LeaseEtagRequiredError'

  constructor(what: string) {
    super(
      'ERR_LEASE_ETAG_REQUIRED',
      `${what} needs a lease with its etag; pass what acquire or renew returned, whole`,
    )
  }
}

/** More time was asked for than the leaser ever grants. Nothing was sent anywhere. */
export class TtlExceedsMaxError extends LeaseError {
  override readonly name = 'TtlExceedsMaxError'
  /** What was asked for, in milliseconds. */
  readonly ttl: number
  /** What is granted at most, in milliseconds. */
  readonly maxTtl: number

  constructor(ttl: number, maxTtl: number) {
    super(
      'ERR_LEASE_TTL_EXCEEDS_MAX',
      `a lease of ${ttl} ms exceeds the ${maxTtl} ms that are granted at most; ask for less and renew, or raise maxTtl for every contender`,
    )
    this.ttl = ttl
    this.maxTtl = maxTtl
  }
}

/** What is stored is no lease, or claims a time that no leaser grants. Nobody acquires it until an operator resets it. */
export class LeaseCorruptError extends LeaseError {
  override readonly name = 'LeaseCorruptError'

  constructor(place: string, what: string, cause?: unknown) {
    super(
      'ERR_LEASE_CORRUPT',
      `the lease ${place} is corrupt: ${what}; look at it with "howdah lease show" or inspect(), make sure that nobody holds it, and free it with "howdah lease reset" or reset()`,
      cause,
    )
  }
}

/** The lease of a hold is lost, or its time is over. The reason of `held.signal`, and what `held.check()` throws. */
export class LeaseLostError extends LeaseError {
  override readonly name = 'LeaseLostError'
  /** The generation that was held. */
  readonly generation: bigint

  constructor(generation: bigint, what: string, cause?: unknown) {
    super(
      'ERR_LEASE_LOST',
      `generation ${generation} of the lease is lost: ${what}; stop the work that it guards, and acquire it again`,
      cause,
    )
    this.generation = generation
  }
}

/** The lease was not had within `timeout` milliseconds (0: at the first try). `cause` says why. */
export class LeaseTimeoutError extends LeaseError {
  override readonly name = 'LeaseTimeoutError'
  /** How long was waited, in milliseconds. */
  readonly timeout: number
  /** Who held the lease when it was last seen, where that is known. */
  readonly owner?: string
  /** When that lease was to end, where that is known. */
  readonly expiresAt?: Date

  constructor(timeout: number, cause: LeaseError) {
    const waited = timeout === 0 ? 'at once' : `within ${timeout} ms`
    super('ERR_LEASE_TIMEOUT', `the lease was not to be had ${waited}: ${cause.message}`, cause)
    this.timeout = timeout
    if (cause instanceof LeaseExistsError) {
      this.owner = cause.owner
      this.expiresAt = cause.expiresAt
    }
  }
}

/** An option that means nothing. */
export class LeaseOptionError extends LeaseError {
  override readonly name = 'LeaseOptionError'

  constructor(message: string) {
    super('ERR_LEASE_OPTION', message)
  }
}

/** The store did not answer, or not clearly, and reading again did not settle it. Trying again may help. */
export class LeaseUnavailableError extends LeaseError {
  override readonly name = 'LeaseUnavailableError'

  constructor(
    place: string,
    what: string,
    cause?: unknown,
    remedy = 'see that it is up and can be reached, then try again',
  ) {
    super('ERR_LEASE_UNAVAILABLE', `the store of the lease ${place} ${what}; ${remedy}`, cause)
  }
}

/** The store refused, and will refuse again: no such directory, bucket or table, or no permission. */
export class LeaseStoreError extends LeaseError {
  override readonly name = 'LeaseStoreError'

  constructor(place: string, what: string, cause?: unknown) {
    super('ERR_LEASE_STORE', `the store of the lease ${place} refused: ${what}`, cause)
  }
}

/** The store does not do what a lease rests on, such as refusing a stale condition. */
export class LeaseStoreUnsafeError extends LeaseError {
  override readonly name = 'LeaseStoreUnsafeError'

  constructor(place: string, what: string, cause?: unknown) {
    super(
      'ERR_LEASE_STORE_UNSAFE',
      `no lease can be kept at ${place}: ${what}; use a store that does this, or another backend`,
      cause,
    )
  }
}

/** A library that this backend needs is not installed. */
export class LeasePeerMissingError extends LeaseError {
  override readonly name = 'LeasePeerMissingError'
  /** The name of the package to install. */
  readonly peer: string

  constructor(backend: string, peer: string, cause: unknown) {
    super(
      'ERR_LEASE_PEER_MISSING',
      `the ${backend} backend needs ${peer}, which is not installed; run: npm install ${peer} (or: pnpm add ${peer})`,
      cause,
    )
    this.peer = peer
  }
}

/** The command could not be run, or what watches over it failed. */
export class LeaseCommandError extends LeaseError {
  override readonly name = 'LeaseCommandError'
  /** The operating system's code, such as `ENOENT` where there is no such command; empty where there is none. */
  readonly errno: string

  constructor(message: string, errno: string, cause?: unknown) {
    super('ERR_LEASE_COMMAND', message, cause)
    this.errno = errno
  }
}
