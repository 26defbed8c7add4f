import { LockTimeoutError } from './errors.ts'
import { quickHolder } from './holder.ts'
import type { Request } from './request.ts'

/** How long somebody is willing to wait: until a deadline, by the monotonic clock, or until an abort. */
export class Patience {
  readonly #request: Pick<Request, 'path' | 'mode' | 'timeout' | 'signal'>
  readonly #deadline: number

  constructor(request: Pick<Request, 'path' | 'mode' | 'timeout' | 'signal'>) {
    this.#request = request
    this.#deadline = performance.now() + request.timeout
  }

  /** Milliseconds that are left, rounded up; `Infinity` where there is no limit. */
  get left(): number {
    return Math.max(0, Math.ceil(this.#deadline - performance.now()))
  }

  /** Throws the signal's reason, or {@link LockTimeoutError}, when it is over. */
  check(): void {
    const { path, mode, timeout, signal } = this.#request
    signal?.throwIfAborted()
    if (this.#deadline <= performance.now()) {
      throw new LockTimeoutError(path, mode, timeout, quickHolder(path))
    }
  }

  /**
   * Waits until `wake` is called, for `limit` ms, or until the patience is over; then {@link check} throws.
   *
   * The timer keeps the event loop alive, since somebody awaits the end of the wait.
   */
  async pause(limit: number, arrange: (wake: () => void) => void): Promise<void> {
    const { signal } = this.#request
    signal?.throwIfAborted()
    let timer: NodeJS.Timeout | undefined
    let abort: (() => void) | undefined
    try {
      await new Promise<void>((resolve) => {
        // setTimeout knows no longer delay; whoever pauses looks again afterwards.
        timer = setTimeout(resolve, Math.min(limit, this.left, 2 ** 31 - 1))
        abort = resolve
        signal?.addEventListener('abort', abort, { once: true })
        arrange(resolve)
      })
    } finally {
      clearTimeout(timer)
      if (abort) signal?.removeEventListener('abort', abort)
    }
  }
}
