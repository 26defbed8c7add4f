import { acquire, type Lock, type WaitOptions } from '@howdah/lock'
import { join } from 'node:path'
import type { Entry } from '../entry/entry.ts'
import { errno } from '@howdah/durable'
import { lockError, type Failure } from '../errors.ts'
import { listEntries, lockName } from './list-entries.ts'
import { decodeListed, readEntry, type ListedEntry, type ReadEntry } from './listed-entry.ts'
import { requireOrder, runHolding } from '../lock-order.ts'
import { LockedSegment, type SaveOptions } from './locked-segment.ts'
import { patient } from '../patient.ts'
import type { SegmentPlace } from './segment-place.ts'

/** How much is read under one lock at most: so many entries or so many bytes, until either limit is reached. */
const batch = { entries: 64, bytes: 256 * 1024 }

/**
 * A part of a store with a lock of its own.
 *
 * Every method that is here takes the lock, and releases it before it returns. What is to be done under one lock is done
 * with the {@link LockedSegment} that `lock` and `transaction` give.
 *
 * Waits end after 30 s unless told otherwise, with `ERR_STORE_LOCK_TIMEOUT`: locks of segments are held for moments.
 * Methods that lock also reject with the signal's reason, `ERR_STORE_LOCK`, or `ERR_STORE_LOCK_ORDER`.
 */
export class Segment<State = unknown, Input = State> {
  readonly identity: number
  readonly #place: SegmentPlace<State>

  /** @internal Segments come from `Store.segment`. */
  constructor(place: SegmentPlace<State>) {
    this.identity = place.identity
    this.#place = place
  }

  /** Waits for the segment and holds it, until it is released or disposed. Makes it again if somebody removed it. */
  async lock(options: WaitOptions = {}): Promise<LockedSegment<State, Input>> {
    const failure = this.#requireOrder()
    const wait = patient(options)
    const fair = this.#place.create
    for (let attempt = 0; ; attempt++) {
      try {
        const lock = await acquire(this.#lockPath, { ...wait, create: attempt > 0, fair })
        return new LockedSegment(this.#place, lock)
      } catch (error) {
        if (errno(error) !== 'ERR_LOCK_NOT_FOUND' || attempt === 3) throw lockError(error, failure)
        await this.#place.make(wait)
      }
    }
  }

  /**
   * Locks, runs, and unlocks, also when `action` throws. Within, the other methods of this segment, and the store's, are
   * refused with `ERR_STORE_LOCK_ORDER`; so are segments with a lower identity.
   */
  async transaction<Result>(
    action: (segment: LockedSegment<State, Input>) => Result | Promise<Result>,
    options: WaitOptions = {},
  ): Promise<Result> {
    const locked = await this.lock(options)
    const { base: family } = this.#place
    try {
      return await runHolding({ family, rank: this.identity, lock: locked }, () => action(locked))
    } finally {
      locked.release()
    }
  }

  /** Saves one entry; see {@link LockedSegment.save}. */
  async save(state: Input, options: SaveOptions & WaitOptions = {}): Promise<Entry<State>> {
    using locked = await this.lock(options)
    return await locked.save(state, options)
  }

  /** How many entries there are; see {@link LockedSegment.count}. */
  async count(options: WaitOptions = {}): Promise<number> {
    using locked = await this.lock(options)
    return await locked.count()
  }

  /** Destroys the entries of dead processes and returns them; see {@link LockedSegment.reap}. */
  async reap(options: WaitOptions = {}): Promise<ListedEntry<State>[]> {
    const reaped: ListedEntry<State>[] = []
    for (const dead of await this.#destroyDead(options)) reaped.push(await decodeListed(dead))
    return reaped
  }

  /**
   * Every entry, oldest first, read under the lock and yielded after it is released: none of the caller's code, the
   * schema's neither, runs under a lock, and the loop may be left at any time.
   *
   * Up to 64 entries are read at a time, so that a segment may hold more than fits in memory; those that are destroyed
   * between are left out, and those that are saved after the beginning too. What does not decode comes with an error.
   */
  async *all(options: WaitOptions = {}): AsyncGenerator<ListedEntry<State>, void, undefined> {
    let rest: Entry<State>[] | undefined
    do {
      const read: ReadEntry<State>[] = []
      {
        using locked = await this.#lockToRead(options)
        if (locked === null) return
        rest ??= listEntries(this.#place).toReversed()
        readBatch(rest, read)
      }
      for (const entry of read) yield await decodeListed(entry)
    } while (rest.length > 0)
  }

  async #destroyDead(options: WaitOptions): Promise<ReadEntry<State>[]> {
    using locked = await this.lock(options)
    return await locked.destroyDead()
  }

  /** The lock; `null` if the segment was removed. Makes nothing. */
  async #lockToRead(options: WaitOptions): Promise<Lock | null> {
    const failure = this.#requireOrder()
    try {
      const { create: fair } = this.#place
      return await acquire(this.#lockPath, { ...patient(options), create: false, fair })
    } catch (error) {
      if (errno(error) === 'ERR_LOCK_NOT_FOUND') return null
      throw lockError(error, failure)
    }
  }

  get #lockPath(): string {
    return join(this.#place.directory, lockName)
  }

  #requireOrder(): Failure {
    const { base: family, directory: path } = this.#place
    const failure = { step: `acquire lock on store segment ${this.identity}`, path }
    requireOrder({ family, rank: this.identity }, failure)
    return failure
  }
}

/** Moves entries from the end of the one list to the other, until they are a batch. */
function readBatch<State>(from: Entry<State>[], to: ReadEntry<State>[]): void {
  for (let bytes = 0; to.length < batch.entries && bytes < batch.bytes;) {
    const entry = from.pop()
    if (entry === undefined) return
    const read = readEntry(entry)
    if (read === null) continue
    to.push(read)
    if (Buffer.isBuffer(read.read)) bytes += read.read.length
  }
}
