import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type Holder, type Lock, type LockMode, acquire } from '@howdah/lock'

import { type CoordinateError, meaninglessOption, timedOut } from '../errors.ts'

/** What a call waits for: a lock, or a process that is starting or stopping by itself. */
export interface Wait {
  readonly for: 'change' | 'use' | 'process'
  /** The lock's path, or the path of the record of the process. */
  readonly path: string
  /** The holders of the lock, as far as they are known. */
  readonly holders: readonly Holder[]
  /** If it waits for a process: the event that it waits for, in words. */
  readonly what?: string | undefined
  /** Aborted when the wait is over, whether what it waited for has come or not. */
  readonly over: AbortSignal
}

/** The options of all calls that wait. */
export interface WaitOptions {
  /** The limit for all waits together, in ms; 0 means one try; by default there is no limit. */
  readonly timeout?: number | undefined
  /** Ends a wait; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** Called once for each thing that the call waits for. */
  readonly onWait?: ((wait: Wait) => void) | undefined
}

/** A lock to take. */
interface Wanted {
  readonly for: 'change' | 'use'
  readonly path: string
  readonly mode: LockMode
  readonly create: boolean
}

/** All waits of one operation, with one deadline. */
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

  /** The milliseconds that are left; `undefined` if there is no limit. */
  get remaining(): number | undefined {
    if (this.#options.timeout === undefined) return undefined
    return Math.max(0, this.#deadline - performance.now())
  }

  /** Waits for a lock, without making a gate beside it. */
  async lock({ for: what, path, mode, create }: Wanted): Promise<Lock> {
    const { signal, onWait } = this.#options
    try {
      return await acquire(path, {
        mode,
        create,
        fair: false,
        timeout: this.remaining,
        signal,
        onWait: onWait && (({ holders, over }) => onWait({ for: what, path, holders, over })),
      })
    } catch (error) {
      if (errno(error) !== 'ERR_LOCK_TIMEOUT') throw error
      throw this.#timedOut(path, what === 'use' ? 'the use lock' : 'the change lock', error)
    }
  }

  /** Calls `look` every 10 ms until it finds something. Used if no event announces the change. */
  async until<Found>(
    what: Wait['for'],
    path: string,
    waitedFor: string,
    look: () => Promise<Found | null>,
  ): Promise<Found> {
    const { signal, onWait } = this.#options
    const ending = new AbortController()
    try {
      for (let told = false; ; told = true) {
        const found = await look()
        if (found !== null) return found
        signal?.throwIfAborted()
        if (this.remaining === 0) throw this.#timedOut(path, waitedFor)
        if (!told) onWait?.({ for: what, path, holders: [], what: waitedFor, over: ending.signal })
        await sleep(10)
      }
    } finally {
      ending.abort()
    }
  }

  #timedOut(path: string, waitedFor: string, cause?: unknown): CoordinateError {
    return timedOut(path, this.#options.timeout ?? 0, waitedFor, cause)
  }
}
