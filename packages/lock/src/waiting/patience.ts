import { timedOut } from '../errors.ts'
import { quickHolder } from '../process/holder.ts'
import type { Request } from './request.ts'

/** How long a caller is willing to wait: until a deadline, by the monotonic clock, or until an abort. */
export class Patience {
  readonly #request: Pick<Request, 'path' | 'mode' | 'timeout' | 'signal'>
  readonly #deadline: number

  constructor(request: Pick<Request, 'path' | 'mode' | 'timeout' | 'signal'>) {
    this.#request = request
    this.#deadline = performance.now() + request.timeout
  }

  /** The milliseconds that are left, rounded up; `Infinity` if there is no limit. */
  get remaining(): number {
    return Math.max(0, Math.ceil(this.#deadline - performance.now()))
  }

  /** Throws the signal's reason if the signal is aborted. */
  checkSignal(): void {
    this.#request.signal?.throwIfAborted()
  }

  /** Throws the signal's reason after an abort, or `ERR_LOCK_TIMEOUT` after the deadline. */
  check(): void {
    const { path, mode, timeout } = this.#request
    this.checkSignal()
    if (this.#deadline <= performance.now()) {
      throw timedOut(path, mode, timeout, quickHolder(path))
    }
  }

  /**
   * Calls `stop` at the deadline or at an abort. Gives a function that cancels this call, or `undefined` if there is
   * neither.
   */
  onEnd(stop: () => void): (() => void) | undefined {
    const { signal } = this.#request
    const { remaining } = this
    if (remaining === Infinity && signal === undefined) return undefined
    // setTimeout takes no longer delay. After that delay the caller checks again, and waits on.
    const timer =
      remaining === Infinity ? undefined : setTimeout(stop, Math.min(remaining, 2 ** 31 - 1))
    signal?.addEventListener('abort', stop, { once: true })
    return () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Waits until `wake` is called, or until the patience is over; then {@link check} throws. */
  async pause(arrange: (wake: () => void) => void): Promise<void> {
    this.checkSignal()
    let callOff: (() => void) | undefined
    await new Promise<void>((resolve) => {
      callOff = this.onEnd(resolve)
      arrange(resolve)
    })
    callOff?.()
  }
}
