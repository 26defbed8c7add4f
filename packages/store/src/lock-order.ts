import { AsyncLocalStorage } from 'node:async_hooks'
import { StoreError, type Failure } from './errors.ts'

/** A lock that is held while some function runs. */
interface Hold {
  /** The locks that have an order among themselves, such as those of one store. */
  readonly family: string
  /** Locks of one family are taken in ascending order. */
  readonly rank: number
  readonly lock: { readonly held: boolean }
}

const holds = new AsyncLocalStorage<readonly Hold[]>()

/** Runs a function, and whatever it calls, also later, knows that the lock is held, for as long as it is. */
export function runHolding<Result>(hold: Hold, action: () => Result): Result {
  const outer = holds.getStore() ?? []
  return holds.run([...outer.filter(({ lock }) => lock.held), hold], action)
}

/**
 * Throws `ERR_STORE_LOCK_ORDER` if the caller runs under a lock of the family that does not come before this one: it
 * would wait for itself, or two processes for each other.
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
