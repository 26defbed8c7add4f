import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type Holder, type Lock, type LockMode, acquire } from '@howdah/lock'

import { type CoordinateError, meaninglessOption, timedOut } from '../errors.ts'

/** What is waited for: a lock, or a process that comes up or goes down by itself. */
export interface Wait {
  readonly for: 'change' | 'use' | 'process'
  /** The lock's path, or the path of the record of the process. */
  readonly path: string
  /** Who holds the lock, as far as that is known. */
  readonly holders: readonly Holder[]
  /** Of a process: what it is to do, in words. */
  readonly what?: string | undefined
}

/** Options of everything that waits. */
export interface WaitOptions {
  /** Milliseconds for all the waits together; 0 is one try; without it there is no limit. */
  readonly timeout?: number | undefined
  /** Ends a wait; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told, once each, what is waited for. */
  readonly onWait?: ((wait: Wait) => void) | undefined
}

/** What to lock, and how. */
interface Wanted {
  readonly for: 'change' | 'use'
  readonly path: string
  readonly mode: LockMode
  readonly create: boolean
}

/** All the waits of one operation, under one deadline. */
export class Waiting {
  readonly #options: WaitOptions
  readonly #deadline: number

  constructor(options: WaitOptions) {
    const { timeout } = options
    if (timeout !== undefined && !(timeout >= 0)) {
      throw meaninglessOption('timeout', timeout, 'a number of milliseconds, 0 or more')
    }
    this.#options = options
    this.#deadline = performance.now() + (timeout ?? Infinity)
  }

  /** Milliseconds that are left; `undefined` for no limit. */
  get left(): number | undefined {
    if (this.#options.timeout === undefined) return undefined
    return Math.max(0, this.#deadline - performance.now())
  }

  /** Waits for a lock, without leaving a gate beside it. */
  async lock({ for: what, path, mode, create }: Wanted): Promise<Lock> {
    const { signal, onWait } = this.#options
    try {
      return await acquire(path, {
        mode,
        create,
        fair: false,
        timeout: this.left,
        signal,
        onWait: onWait && (({ holders }) => onWait({ for: what, path, holders })),
      })
    } catch (error) {
      if (errno(error) !== 'ERR_LOCK_TIMEOUT') throw error
      throw this.#timedOut(path, what === 'use' ? 'the use lock' : 'the change lock', error)
    }
  }

  /** Waits until `look` finds something, looking every 10 ms: for what no event announces. */
  async until<Found>(
    what: Wait['for'],
    path: string,
    waitedFor: string,
    look: () => Promise<Found | null>,
  ): Promise<Found> {
    for (let told = false; ; told = true) {
      const found = await look()
      if (found !== null) return found
      this.#options.signal?.throwIfAborted()
      if (this.left === 0) throw this.#timedOut(path, waitedFor)
      if (!told) this.#options.onWait?.({ for: what, path, holders: [], what: waitedFor })
      await sleep(10)
    }
  }

  #timedOut(path: string, waitedFor: string, cause?: unknown): CoordinateError {
    return timedOut(path, this.#options.timeout ?? 0, waitedFor, cause)
  }
}
