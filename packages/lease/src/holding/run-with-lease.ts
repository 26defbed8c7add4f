import type { Held } from './held.ts'
import type { HoldOptions } from './hold-options.ts'
import { hold } from './hold.ts'
import type { Leaser } from '../leaser.ts'

/**
 * Runs an action while holding a lease, and releases the lease however the action ends.
 *
 * The action gets a signal that fires before the lease can have expired; it should end then. Rejects with the action's own
 * error. If the action succeeds but the lease was lost meanwhile, rejects with `ERR_LEASE_LOST`, because another process may
 * have acted at the same time. Also rejects as {@link hold} does.
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
