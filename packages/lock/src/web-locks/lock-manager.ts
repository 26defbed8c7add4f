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

/** This thread, as `query` names it. */
const clientId = `${process.pid}-${threadId}-${randomBytes(4).toString('hex')}`

/**
 * Named locks that all processes and threads share who use the same directory: `navigator.locks` for programs.
 *
 * The directory is made when it is first needed, and is to hold nothing else. There is a file in it for each request, open and
 * locked, until its lock is released; nothing is left when nobody waits or holds. What a dead process has left is removed
 * within a second of the next use.
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
  /** When the last request of this thread for a name waits no more. */
  readonly #waiting = new Map<string, Promise<void>>()

  /** Throws a `LockError` of code `ERR_LOCK_OPTION` for what is no path. */
  constructor(directory: string) {
    this.directory = absolute(directory)
    this.#queue = new SharedQueue(this.directory, clientId)
  }

  /**
   * Waits for a lock, calls `callback` with it, and releases it when what that returns has settled. Gives what it gives.
   *
   * Requests for a name are served in the order in which they reach the directory, over all processes; shared ones that stand next
   * to each other are served together. A lock also ends with its process or worker thread, however that ends.
   *
   * Rejects as `callback` does; with `signal.reason`; with a `DOMException` named `AbortError` if the lock was stolen, and
   * `NotSupportedError` for a name that begins with `-` or options that exclude each other; with a `TypeError`; and with a
   * `LockError` if locking does not work here.
   *
   * **Stolen** locks: the thief has the lock at once. The promise of the robbed one rejects when its thread learns of it,
   * usually within milliseconds, at the latest a second later or when the callback ends; not while its thread is busy or
   * stopped. Its callback is not stopped.
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

  /** Waits for the lock, which then is held by the ticket. `null`: it is not available. */
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
          // It was the last one before this.
          if (how === 'released' && blocker.ticketName.mode === 'exclusive') return joined
        } else if (earlier === undefined) {
          await untilGone(blocker, signal)
        } else {
          // An earlier request of this thread is granted earlier, so only the first one waits for another client.
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

  /** Ends a ticket. Why that fails is worth less than why it is done. */
  #giveUp(ticket: Ticket): void {
    try {
      this.#queue.leave(ticket, 'withdrawn')
    } catch {
      // It is unlocked, so nobody waits for it.
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

/** As the promise, or rejects with the signal's reason. */
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
