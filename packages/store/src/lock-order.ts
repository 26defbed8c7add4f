import { AsyncLocalStorage } from 'node:async_hooks'
import { StoreError, type Failure } from './errors.ts'

/** A lock that is held while a function runs. */
interface Hold {
  /** The group of locks to which the order applies, such as the locks of one store. */
  readonly family: string
  /** Locks of one family are taken in ascending order. */
  readonly rank: number
  readonly lock: { readonly held: boolean }
}

const holds = new AsyncLocalStorage<readonly Hold[]>()

/** Runs a function. All code that it calls, now or later, is known to run under the lock while the lock is held. */
export function runHolding<Result>(hold: Hold, action: () => Result): Result {
  const outer = holds.getStore() ?? []
  return holds.run([...outer.filter(({ lock }) => lock.held), hold], action)
}

/**
 * Throws `ERR_STORE_LOCK_ORDER` if the caller runs under a lock of the family with the same or a higher rank. The caller
 * would wait for itself, or two processes would wait for each other.
 */
export function requireOrder({ family, rank }: Omit<Hold, 'lock'>, failure: Failure): void {
  const over = holds
    .getStore()
    ?.find((hold) => hold.lock.held && hold.family === family && hold.rank >= rank)
  if (over === undefined) return
  const why =
    over.rank === rank
      ? 'this runs under that very lock; use what the transaction was given'
      : 'this runs under a lock that comes after it, and two that do so could wait for each other for ever; ' +
        'open what you need before the transaction, and lock segments in ascending order'
  throw new StoreError('ERR_STORE_LOCK_ORDER', failure, why)
}
