import { systemClocks, type Clocks } from './clocks.ts'
import { awaitLease } from './await-lease.ts'
import { Held } from './held.ts'
import type { Leaser } from './leaser.ts'
import type { Logger } from './logger.ts'
import { Pace } from './pace.ts'

/** How a lease is waited for and kept. All times are in milliseconds. */
export interface HoldOptions {
  /** How long the lease lasts between renewals; the leaser's `ttl` by default. */
  readonly ttl?: number
  /** How long to wait for it: 0 for one try, for ever by default. */
  readonly timeout?: number
  /** Ends the waiting. The lease, once had, is not touched by it. */
  readonly signal?: AbortSignal
  /** How often to renew; a third of the time that the holder has, by default. */
  readonly heartbeat?: number
  /** How long before the lease may end the holder counts as without; a twentieth of `ttl`, at most 1,000, by default. */
  readonly margin?: number
  /** How often to ask for a lease that another holds; a thirtieth of `ttl`, 50 to 1,000, by default. Its announced end is not slept through. */
  readonly pollInterval?: number
  readonly logger?: Logger
  /** Is called after each renewal, with the hold. */
  readonly onRenew?: (held: Held) => void
  /** For tests. */
  readonly clocks?: Clocks
}

/**
 * Waits for the lease, then renews it in the background until it is released or lost.
 *
 * Throws `LeaseTimeoutError` after `timeout`, the signal's reason, `LeaseOptionError` where the holder would have no time
 * between skew and margin, `LeaseLostError` where the store answered too late, and at once whatever the leaser throws but `LeaseExistsError`; later, while it waits, a store
 * that does not answer is asked again.
 */
export async function hold(leaser: Leaser, options: HoldOptions = {}): Promise<Held> {
  const pace = new Pace(leaser, options)
  const clocks = options.clocks ?? systemClocks
  const { lease, before } = await awaitLease(leaser, pace, options, clocks)
  const held = Held.begin(leaser, lease, before, pace, options, clocks)
  if (held.signal.aborted) {
    await held.release()
    throw held.signal.reason
  }
  return held
}
