import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '../waiting/acquire.ts'
import { LockError } from '../errors.ts'
import type { RetryOptions } from './options.ts'

/** The longest delay of a timer of Node, in ms. */
const longestTimer = 2 ** 31 - 1

/** How many times to try again, and how. */
export function retryOptionsOf(retries: number | RetryOptions = 0): RetryOptions {
  // `null` and `false` are none, as in the original.
  return typeof retries === 'object' && retries !== null ? retries : { retries: retries || 0 }
}

/** The pauses between tries, in ms, as the package `retry` makes them: `forever` begins again with the shortest. */
export function* pauses({
  retries = 10,
  factor = 2,
  minTimeout = 1_000,
  maxTimeout = Infinity,
  randomize = false,
  forever = false,
}: RetryOptions): Generator<number, void> {
  const round = Math.max(retries, 1)
  for (let index = 0; index < (forever ? Infinity : retries); index++) {
    const grown = minTimeout * factor ** (index % round) * (randomize ? Math.random() + 1 : 1)
    yield Math.min(Math.round(grown), maxTimeout, longestTimer)
  }
}

/**
 * Pauses for so many ms, or until nobody holds a lock file any more. Gives how many ms are left.
 *
 * It waits in the kernel's queue, without taking part in anything: then the file is to be claimed, as others may do.
 */
export async function pauseUntilFree(path: string, ms: number): Promise<number> {
  const end = performance.now() + ms
  try {
    // By a signal, since who holds the lock is not to be found out at each timeout.
    const signal = AbortSignal.timeout(Math.ceil(ms))
    const lock = await acquire(path, { create: false, fair: false, signal })
    lock.release()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return 0
    if (!(error instanceof LockError)) throw error
    // The file is gone, so the lock is free. Any other error will be met again by the next claim.
    if (error.code !== 'ERR_LOCK_NOT_FOUND') await sleep(Math.max(0, end - performance.now()))
  }
  return Math.max(0, end - performance.now())
}
