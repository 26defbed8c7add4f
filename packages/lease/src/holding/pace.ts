import type { Leaser } from '../leaser.ts'
import { meaninglessOption, ttlExceedsMax } from '../errors.ts'

/** The requested times of a hold, in milliseconds. */
export interface Times {
  /** How long the lease lasts between renewals; the leaser's `ttl` by default. */
  readonly ttl?: number | undefined
  /** How often to renew; by default a third of the time that the holder has. */
  readonly heartbeat?: number | undefined
  /** How long before its earliest possible end the lease counts as lost; by default a twentieth of `ttl`, at most 1,000. */
  readonly margin?: number | undefined
  /**
   * How often to ask for a lease that another process holds; by default a thirtieth of `ttl`, 50 to 1,000. It is also asked
   * for right after its announced end.
   */
  readonly pollInterval?: number | undefined
}

/** The checked times of a hold, in milliseconds. */
export class Pace {
  /** The requested lifetime of the lease. */
  readonly ttl: number
  /** How long the holder has, counted from before a request: the ttl less the clock skew and the margin. */
  readonly usable: number
  readonly heartbeat: number
  readonly pollInterval: number

  constructor(leaser: Leaser, options: Times) {
    this.ttl = options.ttl ?? leaser.ttl
    if (this.ttl > leaser.maxTtl) throw ttlExceedsMax(this.ttl, leaser.maxTtl)
    const margin = options.margin ?? Math.min(1_000, this.ttl / 20)
    this.usable = this.ttl - leaser.clockSkew - margin
    if (!(margin >= 0 && this.usable > 0)) {
      throw meaninglessOption(
        `a lease of ${this.ttl} ms leaves its holder no time after ${leaser.clockSkew} ms for clock skew and ${margin} ms of margin; raise ttl, or lower the leaser's clockSkew if the clocks are that good`,
      )
    }
    this.heartbeat = options.heartbeat ?? this.usable / 3
    if (!(this.heartbeat > 0 && this.heartbeat < this.usable)) {
      throw meaninglessOption(
        `a heartbeat every ${this.heartbeat} ms does not keep a lease whose holder has ${this.usable} ms; choose half of that or less`,
      )
    }
    this.pollInterval = options.pollInterval ?? Math.max(50, Math.min(1_000, this.ttl / 30))
    if (!(this.pollInterval > 0)) {
      throw meaninglessOption(`pollInterval must be positive, and is ${this.pollInterval} ms`)
    }
  }
}
