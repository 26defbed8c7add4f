import { momentAfter, readClocks, timeUntil, type Clocks, type Moment } from './clocks.ts'
import type { Lease } from '../lease.ts'
import type { Leaser } from '../leaser.ts'
import type { Logger } from '../logger.ts'
import type { Pace } from './pace.ts'
import { type LeaseError, leaseLost } from '../errors.ts'

/**
 * The longest sleep, in ms. Timers stand still while the machine sleeps, so the uptime must be checked at least this often.
 */
const longestNap = 1_000

/** How a hold reports to its holder. */
export interface Listening {
  readonly logger?: Logger | undefined
  /** Called with the hold after each renewal. */
  readonly onRenew?: ((held: Held) => void) | undefined
}

/** A lease that is held and renewed in the background. Disposal releases it. */
export class Held implements AsyncDisposable {
  readonly #leaser: Leaser
  readonly #pace: Pace
  readonly #options: Listening
  readonly #clocks: Clocks
  readonly #lost = new AbortController()
  readonly #renewal = new AbortController()
  #lease: Lease
  #deadline: Moment
  #watch: NodeJS.Timeout | undefined
  #beat: NodeJS.Timeout | undefined
  #renewing: Promise<void> | undefined
  #release: Promise<void> | undefined

  private constructor(
    leaser: Leaser,
    lease: Lease,
    before: Moment,
    pace: Pace,
    options: Listening,
    clocks: Clocks,
  ) {
    this.#leaser = leaser
    this.#lease = lease
    this.#pace = pace
    this.#options = options
    this.#clocks = clocks
    this.#deadline = momentAfter(before, pace.usable)
  }

  /** @internal Starts to renew a lease that was requested at the moment `before`. */
  static begin(
    leaser: Leaser,
    lease: Lease,
    before: Moment,
    pace: Pace,
    options: Listening,
    clocks: Clocks,
  ): Held {
    const held = new Held(leaser, lease, before, pace, options, clocks)
    held.#watchDeadline()
    held.#scheduleRenewal(pace.heartbeat - (pace.usable - held.remaining))
    return held
  }

  /**
   * Fires with `ERR_LEASE_LOST` before the lease can have expired, or as soon as it is known to be lost.
   *
   * After a stall it fires only at the next turn of the event loop, so call {@link check} right before you act.
   */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** The lease as it was last renewed. */
  get lease(): Lease {
    return this.#lease
  }

  /** The fencing token. Pass it on to every resource that can refuse an older token. */
  get generation(): bigint {
    return this.#lease.generation
  }

  /** The moment at which the lease counts as lost unless it is renewed, by both of the machine's clocks, in ms. */
  get deadline(): Moment {
    return this.#deadline
  }

  /** Milliseconds until {@link deadline}; never negative, 0 once the lease is lost. */
  get remaining(): number {
    if (this.#lost.signal.aborted) return 0
    return Math.max(0, timeUntil(this.#deadline, this.#clocks))
  }

  /** Throws `ERR_LEASE_LOST` if the lease is lost or released, or may have expired. Call it right before you act. */
  check(): void {
    if (!this.#lost.signal.aborted && timeUntil(this.#deadline, this.#clocks) <= 0) {
      this.#lose('it was not renewed in time')
    }
    this.#lost.signal.throwIfAborted()
    if (this.#release !== undefined) {
      throw leaseLost(this.generation, 'its holder released it')
    }
  }

  /**
   * Stops the renewals and releases the lease. Idempotent.
   *
   * If the store cannot be reached, this is only logged, because the lease is not renewed any more and ends by itself. If
   * another process holds the lease by now, it keeps it. The signal does not fire after a release.
   */
  async release(): Promise<void> {
    this.#release ??= this.#doRelease()
    return this.#release
  }

  /** Releases, as {@link release} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  async #doRelease(): Promise<void> {
    clearTimeout(this.#watch)
    clearTimeout(this.#beat)
    this.#renewal.abort()
    await this.#renewing
    try {
      await this.#leaser.release(this.#lease)
    } catch (error) {
      const { code } = error as Partial<LeaseError>
      if (code === 'ERR_LEASE_NOT_HELD' || code === 'ERR_LEASE_ALREADY_RELEASED') return
      this.#options.logger?.warn?.('cannot release the lease; it ends by itself', { error })
    }
  }

  #watchDeadline(): void {
    const left = timeUntil(this.#deadline, this.#clocks)
    if (left <= 0) {
      this.#lose('it was not renewed in time')
    } else {
      this.#watch = setTimeout(() => this.#watchDeadline(), Math.min(left, longestNap))
    }
  }

  #scheduleRenewal(pause: number): void {
    if (this.#lost.signal.aborted || this.#release !== undefined) return
    this.#beat = setTimeout(
      () => {
        this.#renewing = this.#renew()
      },
      Math.max(0, pause),
    )
  }

  async #renew(): Promise<void> {
    const before = readClocks(this.#clocks)
    try {
      this.#lease = await this.#leaser.renew(this.#lease, {
        ttl: this.#pace.ttl,
        signal: this.#renewal.signal,
      })
    } catch (error) {
      this.#endureFailure(error)
      return
    }
    // A lease that was lost by the clock stays lost, because its holder was told so.
    if (this.#lost.signal.aborted || this.#release !== undefined) return
    if (timeUntil(this.#deadline, this.#clocks) <= 0) {
      this.#lose('it was not renewed in time')
      return
    }
    this.#deadline = momentAfter(before, this.#pace.usable)
    clearTimeout(this.#watch)
    this.#watchDeadline()
    this.#scheduleRenewal(this.#pace.heartbeat - (this.#clocks.monotonic() - before.monotonic))
    try {
      this.#options.onRenew?.(this)
    } catch (error) {
      this.#options.logger?.warn?.('onRenew failed', { error })
    }
  }

  #endureFailure(error: unknown): void {
    if (this.#lost.signal.aborted || this.#release !== undefined) return
    const { code } = error as Partial<LeaseError>
    if (code === 'ERR_LEASE_NOT_HELD' || code === 'ERR_LEASE_CORRUPT') {
      this.#lose('it is another’s, or gone', error)
      return
    }
    this.#options.logger?.warn?.('cannot renew the lease; trying again', { error })
    this.#scheduleRenewal(Math.min(this.#pace.heartbeat, Math.max(20, this.remaining / 5)))
  }

  #lose(what: string, cause?: unknown): void {
    if (this.#lost.signal.aborted) return
    clearTimeout(this.#watch)
    clearTimeout(this.#beat)
    this.#renewal.abort()
    const error = leaseLost(this.generation, what, cause)
    this.#options.logger?.warn?.(error.message, { error })
    this.#lost.abort(error)
  }
}
