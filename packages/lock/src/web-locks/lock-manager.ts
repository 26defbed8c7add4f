import { randomBytes } from 'node:crypto'
import { threadId } from 'node:worker_threads'
import { absolute } from '../waiting/request.ts'
import {
  wantedOf,
  type LockGrantedCallback,
  type LockManagerSnapshot,
  type LockOptions,
  type Wanted,
} from './lock-options.ts'
import { SharedQueue, type Blocker, type Joined } from './shared-queue.ts'
import { untilGone, type Ticket } from './ticket.ts'
import { WebLock } from './web-lock.ts'

/** The name of this thread in the results of `query`. */
const clientId = `${process.pid}-${threadId}-${randomBytes(4).toString('hex')}`

/**
 * Named locks, shared by all processes and threads that use the same directory: `navigator.locks` for programs.
 *
 * The directory is made at its first use, and must contain nothing else. Each request has a file in it, which is open and
 * locked until the request's lock is released. Files of dead processes are removed within a second of the next use. The
 * directory is empty when no lock is held or waited for.
 *
 * @example
 * const locks = new LockManager('/run/my-app/locks')
 * await locks.request('reports', async () => {
 *   // Nobody else does this now.
 * })
 */
export class LockManager {
  /** The absolute path of the directory. */
  readonly directory: string
  readonly #queue: SharedQueue
  /** By name: resolves when the last request of this thread no longer waits. */
  readonly #waiting = new Map<string, Promise<void>>()

  /** Throws a `LockError` of code `ERR_LOCK_OPTION` if the argument is not a path. */
  constructor(directory: string) {
    this.directory = absolute(directory)
    this.#queue = new SharedQueue(this.directory, clientId)
  }

  /**
   * Waits for a lock, calls `callback` with it, and releases the lock when the callback's result has settled. Gives that
   * result.
   *
   * Requests for a name are served in the order in which they reach the directory, over all processes; neighbouring shared
   * requests are served together. A lock also ends with its process or worker thread, however that ends.
   *
   * Rejects as `callback` does; with `signal.reason`; with a `DOMException` named `AbortError` if the lock was stolen, or
   * `NotSupportedError` if the name begins with `-` or options exclude each other; with a `TypeError` for invalid arguments;
   * and with a `LockError` if locking does not work here.
   *
   * **Stolen** locks: the thief has the lock at once. The robbed promise rejects when its thread learns of the theft: usually
   * within milliseconds, at the latest a second later or when the callback ends, but not while the thread is busy or stopped.
   * The robbed callback is not stopped.
   */
  request<Result>(name: string, callback: LockGrantedCallback<Result>): Promise<Awaited<Result>>
  request<Result>(
    name: string,
    options: LockOptions,
    callback: LockGrantedCallback<Result>,
  ): Promise<Awaited<Result>>
  async request(...args: unknown[]): Promise<unknown> {
    const wanted = wantedOf(args)
    const { signal } = wanted
    return signal === undefined
      ? this.#carryOut(wanted, () => {})
      : new Promise((resolve, reject) => {
          const abort = (): void => reject(signal.reason)
          const leave = (): void => signal.removeEventListener('abort', abort)
          signal.addEventListener('abort', abort, { once: true })
          this.#carryOut(wanted, leave).then(resolve, reject).finally(leave)
        })
  }

  /** Who holds and who waits, in all threads and processes. Rejects with a `LockError` if locking does not work here. */
  async query(): Promise<LockManagerSnapshot> {
    return this.#queue.snapshot()
  }

  /** Carries out a request. Calls `onGranted` just before the callback. */
  async #carryOut(wanted: Wanted, onGranted: () => void): Promise<unknown> {
    const joined = await this.#wait(wanted)
    const { signal, callback } = wanted
    if (signal?.aborted) {
      if (joined !== null) this.#giveUp(joined.ticket)
      throw signal.reason
    }
    onGranted()
    if (joined === null) return callback(null)
    if (joined.ticket.ended) throw stolen(wanted.name)
    return this.#hold(joined.ticket, wanted)
  }

  /** Waits until the request's ticket holds the lock. `null`: the lock is not available. */
  async #wait(wanted: Wanted): Promise<Joined | null> {
    const { name, signal } = wanted
    const previous = this.#waiting.get(name)
    let done = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      done = resolve
    })
    if (wanted.way === 'wait') this.#waiting.set(name, waiting)
    let joined: Joined | null = null
    try {
      joined = await this.#queue.join(wanted)
      if (joined === null) return null
      let blocker: Blocker | undefined = joined.blocker
      let earlier = previous
      while (blocker) {
        if (typeof blocker !== 'string') {
          const how = await orAborted(blocker.gone, signal)
          // An exclusive blocker was the last ticket before ours, so the lock is ours.
          if (how === 'released' && blocker.ticketName.mode === 'exclusive') return joined
        } else if (earlier === undefined) {
          await untilGone(blocker, signal)
        } else {
          // An earlier request of this thread is granted first, so only the first request waits for other threads.
          await orAborted(earlier, signal)
          earlier = undefined
        }
        blocker = await this.#queue.blockerOf(joined.ticket)
      }
      if (blocker === undefined) throw stolen(name)
      return joined
    } catch (error) {
      if (joined !== null) this.#giveUp(joined.ticket)
      throw error
    } finally {
      done()
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name)
    }
  }

  /** Ends a ticket. Errors are ignored, because the caller has a more important one to report. */
  #giveUp(ticket: Ticket): void {
    try {
      this.#queue.leave(ticket, 'withdrawn')
    } catch {
      // The ticket is unlocked, so nobody waits for it.
    }
  }

  async #hold(ticket: Ticket, { name, mode, callback }: Wanted): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        try {
          if (this.#queue.leave(ticket, 'released')) settle()
          else reject(stolen(name))
        } catch (error) {
          reject(error)
        }
      }
      ticket.whenStolen(() => {
        this.#giveUp(ticket)
        reject(stolen(name))
      })
      const running = new Promise((run) => {
        run(callback(new WebLock(name, mode)))
      })
      running.then(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
    })
  }
}

function stolen(name: string): DOMException {
  return new DOMException(
    `the lock ${JSON.stringify(name)} was stolen by another request`,
    'AbortError',
  )
}

/** Settles as the promise does, or rejects with the signal's reason after an abort. */
async function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  let abort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
