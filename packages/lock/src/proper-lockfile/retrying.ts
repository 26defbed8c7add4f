import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '../waiting/acquire.ts'
import { LockError } from '../errors.ts'
import type { RetryOptions } from './options.ts'

/** The longest delay of a timer of Node, in ms. */
const longestTimer = 2 ** 31 - 1

/** How many times to try again, and how. */
export function retryOptionsOf(retries: number | RetryOptions = 0): RetryOptions {
  // `null` and `false` mean no retries, as in the original.
  return typeof retries === 'object' && retries !== null ? retries : { retries: retries || 0 }
}

/**
 * The pauses between tries, in ms, as the package `retry` makes them. With `forever`, the series begins again with the
 * shortest pause.
 */
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
 * Pauses for so many ms, or until nobody holds the lock file. Gives the number of ms that are left.
 *
 * It waits in the kernel's queue and releases the lock at once. The caller then has to claim the file, and others may be
 * faster.
 */
export async function pauseUntilFree(path: string, ms: number): Promise<number> {
  const end = performance.now() + ms
  try {
    // A signal instead of the option `timeout`, because a timeout error would look for the holder of the lock each time.
    const signal = AbortSignal.timeout(Math.ceil(ms))
    const lock = await acquire(path, { create: false, fair: false, signal })
    lock.release()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return 0
    if (!(error instanceof LockError)) throw error
    // If the file is gone, the lock is free. Any other error will occur again when the file is claimed.
    if (error.code !== 'ERR_LOCK_NOT_FOUND') await sleep(Math.max(0, end - performance.now()))
  }
  return Math.max(0, end - performance.now())
}
