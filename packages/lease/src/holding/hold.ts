import type { HoldOptions } from './hold-options.ts'
import { systemClocks } from './clocks.ts'
import { awaitLease } from './await-lease.ts'
import { Held } from './held.ts'
import type { Leaser } from '../leaser.ts'
import { Pace } from './pace.ts'

/**
 * Waits for the lease, then renews it in the background until it is released or lost.
 *
 * Rejects with `ERR_LEASE_TIMEOUT` after `timeout`, with the signal's reason, with `ERR_LEASE_OPTION` if clock skew and
 * margin leave the holder no time, and with `ERR_LEASE_LOST` if the store answered too late. All other errors of the leaser
 * except `ERR_LEASE_EXISTS` reject at once; but if a store stops answering during the wait, it is asked again.
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
