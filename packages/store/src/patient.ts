import type { WaitOptions } from '@howdah/lock'
import { StoreError, type Failure } from './errors.ts'

/** How long to wait for a lock by default, in ms. */
const defaultTimeout = 30_000

/** Picks the options of a wait, and adds the default timeout. */
export function patient({ timeout = defaultTimeout, signal, onWait }: WaitOptions): WaitOptions {
  return { timeout, signal, onWait }
}

/**
 * Waits for an action that another call has begun, no longer than the options say. The action goes on after a timeout or an
 * abort.
 */
export async function waitFor<Result>(
  begun: Promise<Result>,
  options: WaitOptions,
  failure: Failure,
): Promise<Result> {
  const { timeout = defaultTimeout, signal } = options
  signal?.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  try {
    return await new Promise<Result>((resolve, reject) => {
      abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort)
      if (timeout < 2 ** 31) {
        timer = setTimeout(() => {
          const why = `another call in this process was still at it after ${timeout} ms; wait longer`
          reject(new StoreError('ERR_STORE_LOCK_TIMEOUT', failure, why))
        }, timeout)
      }
      begun.then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
    if (abort) signal?.removeEventListener('abort', abort)
  }
}
