import type { JoinOptions } from '../joining/join-options.ts'
import type { LeaveOptions, LeaveOutcome } from '../joining/leave.ts'
import type { Paths } from '../paths.ts'
import { Free, type Shared } from '../joining/states.ts'
import type { Outcome, Subject } from '../subject.ts'

/** How to join, and what the last user does. */
export interface GuardOptions<Options> extends JoinOptions<Options> {
  /** What to do at the end if nobody else uses the subject; `'stop'` by default. */
  readonly atEnd?: 'stop' | 'destroy' | undefined
}

/**
 * A subject in use. It runs until the guard is left or disposed.
 *
 * @example
 * await using guard = await Guard.join(subject, paths, { start: {} })
 */
export class Guard<Options> implements AsyncDisposable {
  /** Whether joining had to start the server. */
  readonly started: Outcome
  readonly #shared: Shared<Options>
  readonly #atEnd: 'stop' | 'destroy' | undefined
  #leaving: Promise<LeaveOutcome> | undefined

  private constructor(shared: Shared<Options>, atEnd: 'stop' | 'destroy' | undefined) {
    this.#shared = shared
    this.#atEnd = atEnd
    this.started = shared.started
  }

  /**
   * Joins: creates and starts the subject if necessary, and makes sure that a watchdog runs.
   *
   * Rejects with the signal's reason when aborted, with what `create` or `start` throw, or with a `CoordinateError`:
   * `ERR_COORDINATE_DOES_NOT_EXIST` with `ifExists`, `ERR_COORDINATE_TIMEOUT`, `ERR_COORDINATE_ELSEWHERE` and
   * `ERR_COORDINATE_UNKNOWN` if a server cannot be judged from here, `ERR_COORDINATE_LAUNCH` and `ERR_COORDINATE_WATCHDOG` if
   * a process cannot be started, `ERR_COORDINATE_RECORD`, `ERR_COORDINATE_PATHS`, `ERR_COORDINATE_OPTION`, and
   * `ERR_COORDINATE_UNSUPPORTED` on Windows.
   */
  static async join<Options>(
    subject: Subject<Options>,
    paths: Paths,
    options: GuardOptions<Options>,
  ): Promise<Guard<Options>> {
    return new Guard(await new Free(subject, paths).join(options), options.atEnd)
  }

  /**
   * Leaves; the last user stops or destroys the subject. Idempotent: a second call gets the same answer.
   *
   * Even if it rejects, this process no longer uses the subject, and the watchdog does the rest.
   */
  leave(options: LeaveOptions = {}): Promise<LeaveOutcome> {
    this.#leaving ??= this.#shared.leave({ atEnd: this.#atEnd, ...options })
    return this.#leaving
  }

  /** Leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }
}
