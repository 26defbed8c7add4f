import { acquire, makeDirectories, tryAcquire, type Lock, type WaitOptions } from '@howdah/lock'
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
  type Dirent,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { jsonCodec, type BodyCodec } from './entry/body-codec.ts'
import type { EntryFormat } from './entry/entry.ts'
import { errno, isSystemError } from '@howdah/durable'
import { StoreError, ioError, lockError, type Failure } from './errors.ts'
import { IdentityRange } from './segment/identity-range.ts'
import { isLockName, lockName } from './segment/list-entries.ts'
import type { ListedEntry } from './segment/listed-entry.ts'
import { requireOrder } from './lock-order.ts'
import { patient, waitFor } from './patient.ts'
import type { SegmentPlace } from './segment/segment-place.ts'
import { Segment } from './segment/segment.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'

/** Options of a {@link Store}. */
export interface StoreOptions<State = unknown, Input = State> {
  /** The schema of states, any Standard Schema, such as one of zod's. Without it, states are not checked. */
  schema?: StandardSchemaV1<Input, State> | undefined
  /** The range of the identities of segments; 0 to 9999 unless told otherwise, up to `maxIdentity`. */
  identities?: { min?: number | undefined; max?: number | undefined } | undefined
  /** How the bodies of entries are encoded; as JSON by default. */
  codec?: BodyCodec | undefined
  /** Sync entries, so that they survive a power failure. It costs milliseconds; `true` unless told otherwise. */
  durable?: boolean | undefined
  /**
   * Make missing directories and files; `true` by default. Give `false` only to look, for example at another user's store.
   */
  create?: boolean | undefined
}

/** A segment of a store, or another file in its directory, which has an `error`. */
export type ListedSegment =
  | { readonly error: null; readonly name: string; readonly identity: number }
  | { readonly error: StoreError; readonly name: string; readonly identity: null }

/** The big lock is taken before the locks of segments. */
const bigLockRank = -1

/** How often making a segment starts again if somebody removes the directory at the same time. */
const attempts = 4

/**
 * State that processes share. A directory with one big lock contains segments, which each have a lock of their own.
 *
 * A process records what it uses as an entry in a segment. Entries of dead processes are recognized and reaped, so the last
 * process to leave knows that it is the last. Opening a store makes no file. Any number of stores, in any number of
 * processes, may share a directory.
 *
 * @example
 * const store = new Store<{ port: number }>('state')
 * const segment = await store.segment(7)
 * await using entry = await segment.save({ port: 5432 })
 */
export class Store<State = unknown, Input = State> {
  /** The absolute path of its directory. */
  readonly base: string
  readonly #identities: IdentityRange
  readonly #format: EntryFormat<State>
  readonly #durable: boolean
  readonly #create: boolean
  /** The segments that were opened, or are being opened. */
  readonly #segments = new Map<number, Promise<Segment<State, Input>>>()

  /** Throws `ERR_STORE_OPTION`. */
  constructor(base: string, options: StoreOptions<State, Input> = {}) {
    const { identities = {}, schema, codec = jsonCodec, durable = true, create = true } = options
    this.base = resolve(base)
    this.#identities = new IdentityRange(identities, this.base)
    this.#format = { schema, codec }
    this.#durable = durable
    this.#create = create
  }

  /**
   * Opens a segment, and makes it if it is missing. The same identity gives the same object.
   *
   * Rejects with `ERR_STORE_IDENTITY`. If the segment has to be made, it also rejects with `ERR_STORE_IO`, `ERR_STORE_LOCK`,
   * `ERR_STORE_LOCK_TIMEOUT` (after 30 s by default), `ERR_STORE_LOCK_ORDER` within a transaction, `ERR_STORE_NOT_FOUND` with
   * `create: false`, or the signal's reason. After a failure you may try again.
   */
  async segment(identity: number, options: WaitOptions = {}): Promise<Segment<State, Input>> {
    const failure = this.#failure(`open store segment ${String(identity)}`)
    this.#identities.require(identity, failure)
    for (;;) {
      const begun = this.#segments.get(identity)
      if (begun === undefined) return this.#begin(identity, options)
      try {
        return await waitFor(begun, options, failure)
      } catch (error) {
        // If the other call has given up waiting, this call may go on.
        if (this.#segments.get(identity) === begun || !isImpatience(error)) throw error
      }
    }
  }

  /**
   * The segments in ascending order, read under the big lock. Other files in the directory are given with an error.
   *
   * Makes no directory; without a directory there are no segments. Rejects with `ERR_STORE_IO`, `ERR_STORE_LOCK`,
   * `ERR_STORE_LOCK_TIMEOUT`, `ERR_STORE_LOCK_ORDER` within a transaction, or the signal's reason.
   */
  async segments(options: WaitOptions = {}): Promise<ListedSegment[]> {
    const failure = this.#failure('list the segments of the store')
    const files = await this.#readDirectory(options, failure)
    return files
      .filter(({ name }) => !isLockName(name))
      .map((file) => this.#identify(file))
      .toSorted((one, other) => (one.identity ?? Infinity) - (other.identity ?? Infinity))
  }

  /**
   * Every entry of every segment; see {@link Segment.all}. A file that is no segment, or a segment that cannot be locked, is
   * given with an error and does not end the listing. Rejects as {@link Store.segments} does.
   */
  async *all(options: WaitOptions = {}): AsyncGenerator<ListedEntry<State>, void, undefined> {
    for (const { identity, error } of await this.segments(options)) {
      if (identity === null) {
        yield { error, segment: null, entry: null }
        continue
      }
      try {
        yield* new Segment<State, Input>(this.#place(identity)).all(options)
      } catch (refusal) {
        if (!(refusal instanceof StoreError) || options.signal?.aborted) throw refusal
        yield { error: refusal, segment: identity, entry: null }
      }
    }
  }

  /**
   * Removes an empty segment; the next use makes it again. `false`: the segment is not empty, somebody has it locked, or it
   * does not exist.
   *
   * Rejects with `ERR_STORE_IDENTITY`, `ERR_STORE_OPTION` with `create: false`, `ERR_STORE_IO`, `ERR_STORE_LOCK`,
   * `ERR_STORE_LOCK_TIMEOUT`, `ERR_STORE_LOCK_ORDER` within a transaction, or the signal's reason.
   */
  async discard(identity: number, options: WaitOptions = {}): Promise<boolean> {
    const { directory } = this.#place(identity)
    const failure = { step: `discard store segment ${String(identity)}`, path: directory }
    this.#identities.require(identity, failure)
    if (!this.#create) {
      const why = 'this store only looks; open it with create: true'
      throw new StoreError('ERR_STORE_OPTION', failure, why)
    }
    using big = await this.#bigLockIfMade(options)
    if (big === null) return false
    try {
      using lock = await tryAcquire(join(directory, lockName), { create: false })
      return lock !== null && removeSegment(directory)
    } catch (error) {
      const code = errno(error)
      // Another process has just made a file in the segment, namely its missing lock file.
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
      if (code === 'ERR_LOCK_NOT_FOUND' || code === 'ENOENT') return false
      throw isSystemError(error) ? ioError(error, failure) : lockError(error, failure)
    }
  }

  #begin(identity: number, options: WaitOptions): Promise<Segment<State, Input>> {
    const begun = this.#open(identity, options).catch((error: unknown) => {
      this.#segments.delete(identity)
      throw error
    })
    this.#segments.set(identity, begun)
    return begun
  }

  async #open(identity: number, options: WaitOptions): Promise<Segment<State, Input>> {
    const place = this.#place(identity)
    if (!this.#isMade(place)) await this.#make(place, options)
    return new Segment(place)
  }

  #place(identity: number): SegmentPlace<State> {
    const place: SegmentPlace<State> = {
      identity,
      directory: join(this.base, String(identity)),
      base: this.base,
      format: this.#format,
      durable: this.#durable,
      create: this.#create,
      make: (options) => this.#make(place, options),
    }
    return place
  }

  #isMade({ directory, identity }: SegmentPlace<State>): boolean {
    try {
      return isRealDirectory(directory)
    } catch (error) {
      throw ioError(error, { step: `open store segment ${identity}`, path: directory })
    }
  }

  /** Makes a segment under the big lock, and the missing directories above it. */
  async #make({ identity, directory }: SegmentPlace<State>, options: WaitOptions): Promise<void> {
    const failure = { step: `create store segment ${identity}`, path: directory }
    if (!this.#create) {
      const why = 'it is not there, and this store makes nothing; open the store with create: true'
      throw new StoreError('ERR_STORE_NOT_FOUND', failure, why)
    }
    for (let left = attempts; ; left--) {
      try {
        makeDirectories(this.base, 0o700)
        using _ = await this.#bigLock({ ...patient(options), create: true })
        makeSegment(directory)
        return
      } catch (error) {
        const cause = error instanceof StoreError ? error.cause : error
        const removed = ['ENOENT', 'ERR_LOCK_NOT_FOUND'].includes(errno(cause))
        if (!removed || left === 0) throw isSystemError(error) ? ioError(error, failure) : error
      }
    }
  }

  async #readDirectory(options: WaitOptions, failure: Failure): Promise<Dirent[]> {
    using _ = await this.#bigLockIfMade(options)
    try {
      return readdirSync(this.base, { withFileTypes: true })
    } catch (error) {
      if (errno(error) === 'ENOENT') return []
      throw ioError(error, failure)
    }
  }

  /** The big lock; `null` if nobody has used the store yet, or somebody removed it. */
  async #bigLockIfMade(options: WaitOptions): Promise<Lock | null> {
    try {
      return await this.#bigLock({ ...patient(options), create: false })
    } catch (error) {
      if (error instanceof StoreError && errno(error.cause) === 'ERR_LOCK_NOT_FOUND') return null
      throw error
    }
  }

  async #bigLock(options: WaitOptions & { create: boolean }): Promise<Lock> {
    const failure = this.#failure('acquire big lock on the store')
    requireOrder({ family: this.base, rank: bigLockRank }, failure)
    try {
      return await acquire(join(this.base, lockName), { ...options, fair: this.#create })
    } catch (error) {
      throw lockError(error, failure)
    }
  }

  #identify(file: Dirent): ListedSegment {
    const { name } = file
    const step = `use ${JSON.stringify(name)} as a store segment`
    const failure = { step, path: join(this.base, name) }
    try {
      const identity = this.#identities.parse(name, failure)
      if (file.isDirectory()) return { error: null, name, identity }
      const why = 'it is not a directory; remove it'
      return { error: new StoreError('ERR_STORE_IDENTITY', failure, why), name, identity: null }
    } catch (error) {
      if (error instanceof StoreError) return { error, name, identity: null }
      throw error
    }
  }

  #failure(step: string): Failure {
    return { step, path: this.base }
  }
}

/** Makes the directory of a segment and its lock file, because stores with `create: false` do not make the lock file. */
function makeSegment(directory: string): void {
  if (!isRealDirectory(directory)) mkdirSync(directory, 0o700)
  closeSync(openSync(join(directory, lockName), 'a', 0o600))
}

/** Removes the directory of a locked segment, unless it contains anything but its lock. Throws errors of the system. */
function removeSegment(directory: string): boolean {
  const names = readdirSync(directory)
  if (!names.every(isLockName)) return false
  for (const name of names) unlinkSync(join(directory, name))
  rmdirSync(directory)
  return true
}

function isRealDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Whether the error only means that one caller gave up waiting; other callers may go on. */
function isImpatience(error: unknown): boolean {
  return !(error instanceof StoreError) || error.code === 'ERR_STORE_LOCK_TIMEOUT'
}
