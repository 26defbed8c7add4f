import { setTimeout as sleep } from 'node:timers/promises'
import { readClocks, type Clocks, type Moment } from './clocks.ts'
import type { HoldOptions } from './hold-options.ts'
import type { Lease } from '../lease.ts'
import type { Leaser } from '../leaser.ts'
import type { Pace } from './pace.ts'
import { LeaseError, leaseTimedOut } from '../errors.ts'

/** A lease, and the moment before its request, from which its time counts. */
export interface Awaited {
  readonly lease: Lease
  readonly before: Moment
}

/** Asks for the lease until it is granted, the timeout is over, or the signal aborts. */
export async function awaitLease(
  leaser: Leaser,
  pace: Pace,
  { timeout = Infinity, signal, logger, onWait }: HoldOptions,
  clocks: Clocks,
): Promise<Awaited> {
  const deadline = clocks.monotonic() + timeout
  let owner: string | undefined
  for (let first = true; ; first = false) {
    signal?.throwIfAborted()
    const before = readClocks(clocks)
    let refusal: LeaseError
    try {
      const lease = await leaser.acquire(
        signal === undefined ? { ttl: pace.ttl } : { ttl: pace.ttl, signal },
      )
      return { lease, before }
    } catch (error) {
      refusal = whyToWait(error, first)
    }
    const left = deadline - clocks.monotonic()
    if (left <= 0) throw leaseTimedOut(timeout, refusal)
    if (refusal.code === 'ERR_LEASE_EXISTS' && refusal.owner !== owner) {
      owner = refusal.owner
      onWait?.(refusal)
    }
    const pause = Math.min(left, pauseAfter(refusal, pace))
    logger?.debug?.(`waiting ${Math.round(pause)} ms: ${refusal.message}`)
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
}

/**
 * Gives the error if waiting may help, else throws it. A store that does not answer at the first try probably has a wrong
 * address; later on it may come back.
 */
function whyToWait(error: unknown, first: boolean): LeaseError {
  if (!(error instanceof LeaseError)) throw error
  if (error.code === 'ERR_LEASE_EXISTS') return error
  if (error.code === 'ERR_LEASE_UNAVAILABLE' && !first) return error
  throw error
}

/** The pause is random, so that contenders do not all ask at once. It ends soon after the announced end of the lease. */
function pauseAfter(refusal: LeaseError, { pollInterval }: Pace): number {
  const pause = pollInterval * (0.75 + Math.random() / 2)
  if (refusal.expiresAt === undefined) return pause
  const untilEnd = refusal.expiresAt.getTime() - Date.now()
  return untilEnd >= 0 ? Math.min(pause, untilEnd + 2) : pause
}
