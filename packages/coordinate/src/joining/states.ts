import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import { convertToExclusive } from './convert-to-exclusive.ts'
import type { Coordinated } from './coordinated.ts'
import { doesNotExist, inUse, usedUp } from '../errors.ts'
import {
  type JoinOptions,
  type Joined,
  type StartOptions,
  bringUp,
  create,
  join,
  joinUnderChange,
  keepWatch,
  startPinned,
  takeChange,
  takeUse,
} from './join.ts'
import { type LeaveOptions, type Left, leave } from './leave.ts'
import { releaseWhenGone } from './release-when-gone.ts'
import { type Place, checkPlace } from '../place.ts'
import { names, readRecord, removeRecord } from '../record/record.ts'
import type { Outcome, Subject } from '../subject.ts'
import { refuseUnseen } from '../launch/server-lock.ts'
import { takeUseAlone } from './take-use-alone.ts'
import { usersIfKnown } from '../users.ts'
import { type WaitOptions, Waiting } from './waiting.ts'
import type { WatchdogKind } from '../watchdog/watchdog.ts'

/** How to become the only user of a subject. */
export interface ChangeOptions extends WaitOptions {
  /** Throw `ERR_COORDINATE_DOES_NOT_EXIST` instead of making what the change lock lies on. */
  readonly ifExists?: boolean | undefined
  /** Do not wait for the users to leave; they are about to lose the server. */
  readonly force?: boolean | undefined
  readonly watchdog?: WatchdogKind | undefined
}

/** What every state can do. */
abstract class Handle<Options> {
  /** @internal */
  protected readonly coordinated: Coordinated<Options>

  constructor(coordinated: Coordinated<Options>) {
    this.coordinated = coordinated
  }

  get subject(): Subject<Options> {
    return this.coordinated.subject
  }

  get place(): Place {
    return this.coordinated.place
  }

  exists(): Promise<boolean> {
    return this.subject.exists()
  }

  running(): Promise<boolean> {
    return this.subject.running()
  }
}

/** Nothing is held: the subject may start, stop and vanish at any time. */
export class Free<Options> extends Handle<Options> {
  /** Throws `ERR_COORDINATE_PLACE` for paths that cannot be used, `ERR_COORDINATE_UNSUPPORTED` on Windows. */
  constructor(subject: Subject<Options>, place: Place) {
    checkPlace(place)
    super({ subject, place })
  }

  /** Becomes a user; creates and starts the subject if it must. */
  async join(options: JoinOptions<Options>): Promise<Shared<Options>> {
    return new Shared(this.coordinated, options, await join(this.coordinated, options))
  }

  /** Starts it to run until it is stopped, with users or without: pinned. Creates it if it must. */
  async start(options: JoinOptions<Options>): Promise<Outcome> {
    return startPinned(this.coordinated, options)
  }

  /**
   * Becomes its only user, without waiting for the others: `null` if there are any. (A process that changes it is waited for, as
   * is a watchdog that is just stopping it.)
   */
  async tryChange(options: ChangeOptions = {}): Promise<Exclusive<Options> | null> {
    const waiting = new Waiting(options)
    const change = await takeChange(this.coordinated, waiting, options.ifExists === true)
    return this.#tryUse(change, waiting, options)
  }

  /**
   * Becomes its only user, and waits until nobody else uses it; others may join and leave meanwhile.
   *
   * Rejects with `ERR_COORDINATE_IN_USE` if somebody still uses it after `timeout` ms; the error names the users if the
   * system tells them.
   */
  async change(options: ChangeOptions = {}): Promise<Exclusive<Options>> {
    const waiting = new Waiting(options)
    try {
      // Change is dropped between the tries: nobody could leave without it.
      return await waiting.until('use', this.place.use, 'its users to leave', async () => {
        const change = await takeChange(this.coordinated, waiting, options.ifExists === true)
        return this.#tryUse(change, waiting, options)
      })
    } catch (error) {
      if (errno(error) !== 'ERR_COORDINATE_TIMEOUT') throw error
      throw inUse(this.place.use, await usersIfKnown(this.place), error)
    }
  }

  /** Use, exclusively, under change; drops change when it is refused. */
  async #tryUse(
    change: Lock,
    waiting: Waiting,
    { force = false, watchdog }: ChangeOptions,
  ): Promise<Exclusive<Options> | null> {
    let use: Lock | null = null
    try {
      if (await this.subject.exists()) {
        use = await takeUseAlone(this.coordinated, waiting, force)
        if (use === null) {
          change.release()
          return null
        }
        await keepWatch(this.coordinated, change, { watchdog })
      }
      return new Exclusive(this.coordinated, change, use)
    } catch (error) {
      use?.release()
      change.release()
      throw error
    }
  }
}

/** We use it: it runs, and goes on running until we leave. */
export class Shared<Options> extends Handle<Options> implements AsyncDisposable {
  /** Whether joining had to start it. */
  readonly started: Outcome
  readonly #options: JoinOptions<Options>
  #use: Lock | null
  #usedUpBy = ''

  /** @internal */
  constructor(coordinated: Coordinated<Options>, options: JoinOptions<Options>, joined: Joined) {
    super(coordinated)
    this.#options = options
    this.#use = joined.use
    this.started = joined.started
    if (options.perishes === true || readRecord(this.place)?.perishes === true)
      releaseWhenGone(this.place, joined.use)
  }

  /** Stops using it; the last one stops it. Uses up the handle, also when it rejects. */
  async leave(options: LeaveOptions = {}): Promise<Left> {
    const use = this.#take('leave')
    return await leave(this.coordinated, use, { watchdog: this.#options.watchdog, ...options })
  }

  /**
   * Becomes its only user if there is no other, and then uses up this handle; else `null`, and it is still shared.
   *
   * If the kernel cannot tell beforehand that others use it, the shared lock is dropped for an instant when it is
   * refused. If the last other user is killed in that instant, its watchdog stops the server, and it is started anew.
   */
  async tryExclusive(options: WaitOptions = {}): Promise<Exclusive<Options> | null> {
    const use = this.#take('tryExclusive')
    let keep: Lock | null = use
    try {
      const waiting = new Waiting(options)
      const change = await takeChange(this.coordinated, waiting, true)
      try {
        if (convertToExclusive(use)) {
          keep = null
          return new Exclusive(this.coordinated, change, use)
        }
        if (!use.held) {
          keep = null
          keep = (await this.#rejoin(change, waiting)).use
        }
      } catch (error) {
        change.release()
        throw error
      }
      change.release()
      return null
    } finally {
      this.#use = keep
    }
  }

  /** Leaves, unless the handle is used up. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#use !== null) await this.leave()
  }

  /** After a watchdog came in between, under change. */
  async #rejoin(change: Lock, waiting: Waiting): Promise<Joined> {
    const joined = await joinUnderChange(this.coordinated, change, this.#options, waiting)
    if (joined === null) throw doesNotExist(this.place.use)
    return joined
  }

  #take(method: string): Lock {
    const use = this.#use
    if (use === null) throw usedUp('Shared', method, this.#usedUpBy)
    this.#use = null
    this.#usedUpBy = `${method}()`
    return use
  }
}

/** We have it for ourselves: nobody can join or leave. To be held briefly. */
export class Exclusive<Options> extends Handle<Options> implements Disposable, AsyncDisposable {
  #change: Lock | null
  /** Missing while the subject does not exist; shared if it was forced. */
  #use: Lock | null
  #usedUpBy = ''

  /** @internal */
  constructor(coordinated: Coordinated<Options>, change: Lock, use: Lock | null) {
    super(coordinated)
    this.#change = change
    this.#use = use
  }

  /** Creates it, unless it exists. */
  async create(options: StartOptions<Options>): Promise<Outcome> {
    this.#require('create')
    return (await this.#create(options, new Waiting(options))) ? 'modified' : 'unmodified'
  }

  /**
   * Starts it, and creates it if it must, with a watchdog: unless it is shared or pinned before this handle is released,
   * the watchdog stops it again then.
   */
  async start(options: StartOptions<Options>): Promise<Outcome> {
    const change = this.#require('start')
    const waiting = new Waiting(options)
    const fresh = await this.#create(options, waiting)
    return bringUp(this.coordinated, change, options, waiting, fresh)
  }

  /** Stops it, also when it is pinned or was started by somebody else. */
  async stop(): Promise<Outcome> {
    const change = this.#require('stop')
    await refuseUnseen(this.place)
    const state = await this.subject.stop()
    // We keep the record of a killed server: it tells which server left the files.
    if (state === 'modified') removeRecord(this.place, change)
    return state
  }

  /** Stops and starts it. One of ours stays pinned if it was, and lingers at least as long as it was to. */
  async restart(options: StartOptions<Options>): Promise<Outcome> {
    this.#require('restart')
    const record = readRecord(this.place)
    const kept = names(record, await this.subject.process()) ? record : null
    await this.stop()
    return this.start({
      ...options,
      pinned: options.pinned === true || kept?.pinned === true,
      perishes: options.perishes === true || kept?.perishes === true,
      linger: Math.max(options.linger ?? 0, kept?.linger ?? 0),
    })
  }

  /** Runs an action on the subject that nobody may watch half done. It is told the change lock. */
  async reconfigure<Result>(
    action: (subject: Subject<Options>, change: Lock) => Promise<Result>,
  ): Promise<Result> {
    return action(this.subject, this.#require('reconfigure'))
  }

  /** Stops and removes it, also when it is pinned. Uses up the handle, also when it rejects. */
  async destroy(): Promise<Outcome> {
    const { change, use } = this.#take('destroy')
    try {
      await refuseUnseen(this.place)
      const state = await this.subject.destroy({ change })
      removeRecord(this.place, change)
      return state
    } finally {
      use?.release()
      change.release()
    }
  }

  /** Lets others join, and uses it with them. Uses up this handle. The subject should run: start it first. */
  share(options: JoinOptions<Options>): Shared<Options> {
    const change = this.#require('share')
    const use = this.#use
    if (use === null) throw doesNotExist(this.place.use)
    this.#take('share')
    try {
      use.downgrade()
    } finally {
      change.release()
    }
    return new Shared(this.coordinated, options, { use, started: 'unmodified' })
  }

  /** Gives it up. A server that runs is then the watchdog's, unless it is pinned or not ours. Uses up this handle. */
  release(): Free<Options> {
    const { change, use } = this.#take('release')
    use?.release()
    change.release()
    return new Free(this.subject, this.place)
  }

  /** Releases, unless the handle is used up. */
  [Symbol.dispose](): void {
    if (this.#change !== null) this.release()
  }

  /** Releases, unless the handle is used up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }

  async #create(options: StartOptions<Options>, waiting: Waiting): Promise<boolean> {
    const fresh = await create(this.coordinated, this.#require('create'), options, false)
    this.#use ??= await takeUse(this.coordinated, 'exclusive', waiting)
    if (this.#use === null) throw doesNotExist(this.place.use)
    return fresh
  }

  #require(method: string): Lock {
    if (this.#change === null) throw usedUp('Exclusive', method, this.#usedUpBy)
    return this.#change
  }

  #take(method: string): { change: Lock; use: Lock | null } {
    const change = this.#require(method)
    const use = this.#use
    this.#change = null
    this.#use = null
    this.#usedUpBy = `${method}()`
    return { change, use }
  }
}
