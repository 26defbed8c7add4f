import type { WaitOptions } from '@howdah/lock'
import { StoreError, type Failure } from './errors.ts'

/** How long is waited for a lock unless told otherwise, in ms. */
const defaultTimeout = 30_000

/** The options of a wait alone, with the default. */
export function patient({ timeout = defaultTimeout, signal, onWait }: WaitOptions): WaitOptions {
  return { timeout, signal, onWait }
}

/** Waits for what somebody else began, no longer than the options say; that goes on all the same. */
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
      signal?.addEventListener('abort', abort, { once: true })
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
