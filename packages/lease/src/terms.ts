import { hostname } from 'node:os'
import type { LeaserOptions } from './leaser.ts'
import type { Logger } from './logger.ts'
import { meaninglessOption, ttlExceedsMax } from './errors.ts'

/** The checked options of a leaser, with their defaults. */
export class Terms {
  readonly ttl: number
  readonly maxTtl: number
  readonly clockSkew: number
  readonly owner: string
  readonly logger: Logger
  readonly clock: () => number

  /** Throws `ERR_LEASE_OPTION`, and `ERR_LEASE_TTL_EXCEEDS_MAX` if `ttl` exceeds `maxTtl`. */
  constructor(options: LeaserOptions, clockSkew: number) {
    this.maxTtl = positive('maxTtl', options.maxTtl ?? 30_000)
    this.ttl = positive('ttl', options.ttl ?? Math.min(30_000, this.maxTtl))
    if (!(Number.isFinite(clockSkew) && clockSkew >= 0)) {
      throw meaninglessOption(`clockSkew must be 0 or more milliseconds, and is ${clockSkew}`)
    }
    this.clockSkew = clockSkew
    this.owner = options.owner ?? `${hostname()}:${process.pid}`
    this.logger = options.logger ?? {}
    this.clock = options.clock ?? Date.now
    this.within(this.ttl)
  }

  /** Gives the requested time, in milliseconds. Throws if it exceeds `maxTtl`. */
  within(ttl: number = this.ttl): number {
    if (positive('ttl', ttl) > this.maxTtl) throw ttlExceedsMax(ttl, this.maxTtl)
    return ttl
  }
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw meaninglessOption(`${name} must be a positive number of milliseconds, and is ${value}`)
}
