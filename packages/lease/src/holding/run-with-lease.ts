import type { Held } from './held.ts'
import type { HoldOptions } from './hold-options.ts'
import { hold } from './hold.ts'
import type { Leaser } from '../leaser.ts'

/**
 * Runs an action while holding a lease, and releases that however the action ends.
 *
 * The action gets the signal that fires before the lease can have expired, and should end then. An error of its own is
 * thrown as it is; if the action ends well although the lease was lost on the way, `ERR_LEASE_LOST` is thrown, since
 * another may have acted at the same time. Throws what {@link hold} throws.
 *
 * @example
 * await runWithLease(leaser, async (signal, held) => {
 *   for (const item of items) {
 *     held.check()
 *     await process(item, { signal, fencingToken: held.generation })
 *   }
 * })
 */
export async function runWithLease<T>(
  leaser: Leaser,
  action: (signal: AbortSignal, held: Held) => T | Promise<T>,
  options: HoldOptions = {},
): Promise<T> {
  const held = await hold(leaser, options)
  try {
    const result = await action(held.signal, held)
    held.check()
    return result
  } finally {
    await held.release()
  }
}
