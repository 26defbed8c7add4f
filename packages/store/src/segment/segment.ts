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

/** How much is read under one lock: reading stops at this number of entries or of bytes, whichever comes first. */
const batch = { entries: 64, bytes: 256 * 1024 }

/**
 * A part of a store with a lock of its own.
 *
 * Every method of this class takes the lock itself; all but `lock` release it before they return. To do several steps under
 * one lock, use the {@link LockedSegment} that `lock` and `transaction` give.
 *
 * By default a wait ends after 30 s with `ERR_STORE_LOCK_TIMEOUT`, because locks of segments are held only for moments.
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

  /** Waits for the lock and holds it until it is released or disposed. Makes the segment again if somebody removed it. */
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
   * Locks, runs `action`, and unlocks, even if `action` throws. Within `action`, methods of this segment, of the store and of
   * segments with a lower identity are refused with `ERR_STORE_LOCK_ORDER`.
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

  /** Saves an entry; see {@link LockedSegment.save}. */
  async save(state: Input, options: SaveOptions & WaitOptions = {}): Promise<Entry<State>> {
    using locked = await this.lock(options)
    return await locked.save(state, options)
  }

  /** The number of entries; see {@link LockedSegment.count}. */
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
   * Yields every entry, oldest first. Entries are read under the lock and yielded after its release, so neither the caller's
   * code nor the schema runs under the lock, and the loop may be left at any time.
   *
   * Up to 64 entries are read at a time, so a segment may have more entries than fit in memory. Entries that are destroyed or
   * saved after the start may be left out. An entry that does not decode is given with an error.
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

  /** The lock; `null` if the segment was removed. Makes no file. */
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

/** Reads entries from the end of one list into the other, until a batch is full. */
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
