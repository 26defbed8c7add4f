import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import { convertToExclusive } from './convert-to-exclusive.ts'
import type { ChangeOptions } from './change-options.ts'
import type { Coordinated } from './coordinated.ts'
import { doesNotExist, inUse, usedUp } from '../errors.ts'
import { Handle } from './handle.ts'
import type { JoinOptions, StartOptions } from './join-options.ts'
import {
  type Joined,
  bringUp,
  create,
  join,
  joinUnderChange,
  keepWatch,
  startPinned,
  takeChange,
  takeUse,
} from './join.ts'
import { type LeaveOptions, type LeaveOutcome, leave } from './leave.ts'
import { releaseWhenGone } from './release-when-gone.ts'
import { type Paths, checkPaths } from '../paths.ts'
import { addWishes } from '../record/add-wishes.ts'
import { readRecord, recordNaming, removeRecord } from '../record/record.ts'
import type { Outcome, Subject } from '../subject.ts'
import { refuseUnseen } from '../launch/server-lock.ts'
import { takeUseAlone } from './take-use-alone.ts'
import { usersIfKnown } from '../users.ts'
import { type WaitOptions, Waiting } from './waiting.ts'

/** No lock is held: the subject may start, stop and vanish at any time. */
export class Free<Options> extends Handle<Options> {
  /** Throws `ERR_COORDINATE_PATHS` for paths that cannot be used, `ERR_COORDINATE_UNSUPPORTED` on Windows. */
  constructor(subject: Subject<Options>, paths: Paths) {
    checkPaths(paths)
    super({ subject, paths })
  }

  /** Becomes a user. Creates and starts the subject if necessary. */
  async join(options: JoinOptions<Options>): Promise<Shared<Options>> {
    return new Shared(this.coordinated, options, await join(this.coordinated, options))
  }

  /** Starts the server pinned: it runs until it is stopped, with users or without. Creates the subject if necessary. */
  async start(options: JoinOptions<Options>): Promise<Outcome> {
    return startPinned(this.coordinated, options)
  }

  /**
   * Becomes the only user, without waiting for other users: gives `null` if there are any. It does wait for a process that
   * changes the subject, and for a watchdog that is stopping it.
   */
  async tryChange(options: ChangeOptions = {}): Promise<Exclusive<Options> | null> {
    const waiting = new Waiting(options)
    const change = await takeChange(this.coordinated, waiting, options.ifExists === true)
    return this.#tryUse(change, waiting, options)
  }

  /**
   * Waits until nobody else uses the subject, and becomes its only user. Others may join and leave meanwhile.
   *
   * Rejects with `ERR_COORDINATE_IN_USE` if somebody still uses it after `timeout` ms; the error names the users if the
   * system tells them.
   */
  async change(options: ChangeOptions = {}): Promise<Exclusive<Options>> {
    const waiting = new Waiting(options)
    try {
      // Change is dropped between the tries, because nobody can leave without it.
      return await waiting.until('use', this.paths.use, 'its users to leave', async () => {
        const change = await takeChange(this.coordinated, waiting, options.ifExists === true)
        return this.#tryUse(change, waiting, options)
      })
    } catch (error) {
      if (errno(error) !== 'ERR_COORDINATE_TIMEOUT') throw error
      throw inUse(this.paths.use, await usersIfKnown(this.paths), error)
    }
  }

  /** Takes use exclusively under change. Drops change if use is refused. */
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

/** We use the subject: it runs until we leave. */
export class Shared<Options> extends Handle<Options> implements AsyncDisposable {
  /** Whether joining had to start the server. */
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
    if (options.perishes === true || readRecord(this.paths)?.perishes === true)
      releaseWhenGone(this.paths, joined.use)
  }

  /** Stops using the subject; the last user stops it. Uses up the handle, even if it rejects. */
  async leave(options: LeaveOptions = {}): Promise<LeaveOutcome> {
    const use = this.#take('leave')
    return await leave(this.coordinated, use, { watchdog: this.#options.watchdog, ...options })
  }

  /**
   * Becomes the only user if there is no other, and uses up this handle. Else gives `null`, and the subject is still shared.
   *
   * If the kernel cannot tell in advance that others use the subject, a refusal drops the shared lock for an instant. If the
   * last other user is killed in that instant, the watchdog stops the server, and this call starts it again.
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
          // Others may have left while the lock was dropped, so we join again.
          const joined = await joinUnderChange(this.coordinated, change, this.#options, waiting)
          if (joined === null) throw doesNotExist(this.paths.use)
          keep = joined.use
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

  #take(method: string): Lock {
    const use = this.#use
    if (use === null) throw usedUp('Shared', method, this.#usedUpBy)
    this.#use = null
    this.#usedUpBy = `${method}()`
    return use
  }
}

/** We have the subject for ourselves: nobody can join or leave. Hold it only briefly. */
export class Exclusive<Options> extends Handle<Options> implements Disposable, AsyncDisposable {
  #change: Lock | null
  /** The use lock; `null` while the subject does not exist; shared if `force` was given. */
  #use: Lock | null
  #usedUpBy = ''

  /** @internal */
  constructor(coordinated: Coordinated<Options>, change: Lock, use: Lock | null) {
    super(coordinated)
    this.#change = change
    this.#use = use
  }

  /** Creates the subject, unless it exists. */
  async create(options: StartOptions<Options>): Promise<Outcome> {
    this.#require('create')
    return (await this.#create(options, new Waiting(options))) ? 'modified' : 'unmodified'
  }

  /**
   * Starts the server with a watchdog. Creates the subject if necessary. Unless the subject is shared or pinned before this
   * handle is released, the watchdog then stops the server.
   */
  async start(options: StartOptions<Options>): Promise<Outcome> {
    const change = this.#require('start')
    const waiting = new Waiting(options)
    const fresh = await this.#create(options, waiting)
    return bringUp(this.coordinated, change, options, waiting, fresh)
  }

  /** Stops the server, even if it is pinned or was started by somebody else. */
  async stop(): Promise<Outcome> {
    const change = this.#require('stop')
    await refuseUnseen(this.paths)
    const outcome = await this.subject.stop()
    // We keep the record of a killed server: it tells which server left the files.
    if (outcome === 'modified') removeRecord(this.paths, change)
    return outcome
  }

  /** Stops and starts the server. A server of ours stays pinned, and lingers at least as long as before. */
  async restart(options: StartOptions<Options>): Promise<Outcome> {
    this.#require('restart')
    const record = recordNaming(this.paths, await this.subject.process())
    await this.stop()
    return this.start({ ...options, ...addWishes(record, options) })
  }

  /** Runs an action while nobody else can see its intermediate states. The action gets the change lock. */
  async reconfigure<Result>(
    action: (subject: Subject<Options>, change: Lock) => Promise<Result>,
  ): Promise<Result> {
    return action(this.subject, this.#require('reconfigure'))
  }

  /** Stops and removes the subject, even if it is pinned. Uses up the handle, even if it rejects. */
  async destroy(): Promise<Outcome> {
    const { change, use } = this.#take('destroy')
    try {
      await refuseUnseen(this.paths)
      const outcome = await this.subject.destroy({ change })
      removeRecord(this.paths, change)
      return outcome
    } finally {
      use?.release()
      change.release()
    }
  }

  /** Becomes a shared user, and lets others join. Uses up this handle. The subject should run, so start it first. */
  share(options: JoinOptions<Options>): Shared<Options> {
    const change = this.#require('share')
    const use = this.#use
    if (use === null) throw doesNotExist(this.paths.use)
    this.#take('share')
    try {
      use.downgrade()
    } finally {
      change.release()
    }
    return new Shared(this.coordinated, options, { use, started: 'unmodified' })
  }

  /** Releases the subject. The watchdog then stops a running server, unless it is pinned or not ours. Uses up this handle. */
  release(): Free<Options> {
    const { change, use } = this.#take('release')
    use?.release()
    change.release()
    return new Free(this.subject, this.paths)
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
    if (this.#use === null) throw doesNotExist(this.paths.use)
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
