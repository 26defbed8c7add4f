import {
  currentProcess,
  liveness,
  type Liveness,
  type Lock,
  type ProcessIdentity,
} from '@howdah/lock'
import { errno, publishFile, temporaryName } from '@howdah/durable'
import { basename, join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { decodeEntry, encodeEntry, type EntryBody } from '../entry/entry-body.ts'
import { removeFile } from '../entry/entry-file.ts'
import { EntryId } from '../entry/entry-id.ts'
import { Entry } from '../entry/entry.ts'
import { StoreError, ioError, type Failure } from '../errors.ts'
import { isEntryFile, listDirectory, listEntries, listTemporary } from './list-entries.ts'
import { decodeListed, readEntry, type ListedEntry, type ReadEntry } from './listed-entry.ts'
import type { SegmentPlace } from './segment-place.ts'
import { validateState } from '../entry/validate-state.ts'

/** Options of saving an entry. */
export interface SaveOptions {
  /** The kind of the entry, 0 to 255, which can be read without decoding the entry; 0 unless told otherwise. */
  kind?: number | undefined
  /** The id of the entry; a new id unless told otherwise. */
  id?: EntryId | undefined
  /** The owner of the entry; this process by default. The entry may be reaped when the owner is dead. */
  process?: ProcessIdentity | undefined
  /** Sync the entry, so that it survives a power failure; by default as the store's options say. */
  durable?: boolean | undefined
}

/** How many entries are looked at before the event loop may go on. */
const slice = 64

/**
 * A locked segment. Nobody else saves, lists or reaps in it. But entries may be destroyed, because destroying needs no lock.
 *
 * After the release, every method rejects with `ERR_STORE_NOT_LOCKED`.
 */
export class LockedSegment<State = unknown, Input = State> implements Disposable, AsyncDisposable {
  readonly identity: number
  readonly #place: SegmentPlace<State>
  readonly #lock: Lock
  /** The ids of entries that are being saved, with the names of their temporary files. */
  readonly #saving = new Map<string, string>()

  /** @internal Comes from `Segment.lock`. */
  constructor(place: SegmentPlace<State>, lock: Lock) {
    this.identity = place.identity
    this.#place = place
    this.#lock = lock
  }

  /** Whether the segment is still locked. */
  get held(): boolean {
    return this.#lock.held
  }

  /**
   * Saves a state as a new entry. If this process is killed, the entry is complete or absent.
   *
   * Rejects with `ERR_STORE_INVALID_STATE` if the schema refuses the state as it would be loaded, `ERR_STORE_ENTRY_EXISTS`,
   * `ERR_STORE_OPTION`, `ERR_STORE_LOCK_LOST` if the segment was removed meanwhile, or `ERR_STORE_IO`.
   */
  async save(state: Input, options: SaveOptions = {}): Promise<Entry<State>> {
    const { directory, identity, format } = this.#place
    const { kind = 0, id = EntryId.create(), process = currentProcess() } = options
    const failure = this.#failure(`save entry ${id.text} in`)
    const bytes = await this.#encode(id, { kind, process, state }, failure)
    this.#requireCurrent(failure)
    if (this.#saving.has(id.text)) throw exists(failure)
    const path = join(directory, id.text)
    const temporary = temporaryName(path)
    this.#saving.set(id.text, basename(temporary))
    try {
      await publishFile(path, bytes, {
        replace: false,
        mode: 0o600,
        temporary,
        durable: options.durable ?? this.#place.durable,
        check: () => this.#requireCurrent(failure),
      })
    } catch (error) {
      throw errno(error) === 'EEXIST' ? exists(failure, error) : ioError(error, failure)
    } finally {
      this.#saving.delete(id.text)
    }
    return new Entry({ segment: identity, directory, name: id.text }, id, format)
  }

  /**
   * The entries, oldest first. Anything else in the segment, such as a directory or a file with another name, is given as an
   * entry with an error. Rejects with `ERR_STORE_IO`.
   */
  async entries(): Promise<Entry<State>[]> {
    this.#requireHeld(this.#failure('list'))
    return listEntries(this.#place)
  }

  /** The number of entries: regular files with the name of an entry, whatever their content. Rejects with `ERR_STORE_IO`. */
  async count(): Promise<number> {
    this.#requireHeld(this.#failure('count'))
    return listDirectory(this.#place).filter(isEntryFile).length
  }

  /**
   * Finds an entry by the first 8 to 16 hexadecimal digits of its id's random half; `null` if there is none.
   *
   * Rejects with `ERR_STORE_AMBIGUOUS_ID` if there are several, `ERR_STORE_OPTION`, or `ERR_STORE_IO`.
   */
  async find(prefix: string): Promise<Entry<State> | null> {
    const failure = this.#failure(`find entry ${JSON.stringify(prefix)} in`)
    this.#requireHeld(failure)
    if (!/^[0-9a-f]{8,16}$/.test(prefix)) {
      const why = 'the short form of an id is 8 to 16 lower-case hexadecimal digits; correct it'
      throw new StoreError('ERR_STORE_OPTION', failure, why)
    }
    const found = listEntries(this.#place).filter(({ id }) => id?.matches(prefix))
    if (found.length > 1) {
      const why = `it is the short form of ${found.map(({ name }) => name).join(' and ')}; give more digits`
      throw new StoreError('ERR_STORE_AMBIGUOUS_ID', failure, why)
    }
    return found[0] ?? null
  }

  /**
   * Destroys the entries of dead processes, and returns them. Also removes the unfinished entries of killed processes.
   *
   * A process that is not certainly dead counts as alive, and so does the owner of an entry that does not decode. Rejects
   * with `ERR_STORE_IO`.
   */
  async reap(): Promise<ListedEntry<State>[]> {
    const reaped: ListedEntry<State>[] = []
    for (const dead of await this.destroyDead()) reaped.push(await decodeListed(dead))
    return reaped
  }

  /** @internal Destroys the entries of dead processes without running the schema. */
  async destroyDead(): Promise<ReadEntry<State>[]> {
    const failure = this.#failure('reap')
    this.#requireCurrent(failure)
    this.#removeLeftovers(failure)
    const verdicts = new Map<string, Liveness>()
    const destroyed: ReadEntry<State>[] = []
    for (const [index, entry] of listEntries(this.#place).entries()) {
      if (index % slice === slice - 1) await breathe()
      this.#requireHeld(failure)
      const read = readEntry(entry)
      if (read !== null && isDead(read, verdicts) && (await entry.destroy())) destroyed.push(read)
    }
    return destroyed
  }

  /** Unlocks. Idempotent and synchronous. */
  release(): void {
    this.#lock.release()
  }

  /** Releases. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Releases. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }

  /** Encodes an entry, and checks that it will load again: the bytes are decoded, and the schema validates the state. */
  async #encode(id: EntryId, body: EntryBody, failure: Failure): Promise<Buffer> {
    const { codec, schema } = this.#place.format
    const { kind } = body
    if (!Number.isInteger(kind) || kind < 0 || kind > 255) {
      const why = `a kind is a whole number from 0 to 255, not ${String(kind)}; correct it`
      throw new StoreError('ERR_STORE_OPTION', failure, why)
    }
    let bytes: Buffer
    try {
      bytes = encodeEntry(id, body, codec)
    } catch (cause) {
      const why = 'the codec cannot encode the state; see the cause'
      throw new StoreError('ERR_STORE_INVALID_STATE', failure, why, { cause })
    }
    await validateState(schema, decodeEntry(bytes, id, codec, failure).state, failure)
    return bytes
  }

  /**
   * Removes the temporary files of killed processes. Nobody else writes here while we have the lock, so every temporary file
   * that is not ours was left behind.
   */
  #removeLeftovers(failure: Failure): void {
    const ours = new Set(this.#saving.values())
    for (const name of listTemporary(this.#place)) {
      if (ours.has(name)) continue
      try {
        removeFile(join(this.#place.directory, name))
      } catch (error) {
        throw ioError(error, failure)
      }
    }
  }

  #requireHeld(failure: Failure): void {
    if (this.held) return
    const why = 'it needs the lock, which is released; lock the segment again'
    throw new StoreError('ERR_STORE_NOT_LOCKED', failure, why)
  }

  /** Throws if somebody has removed the segment, because others would then lock another file. */
  #requireCurrent(failure: Failure): void {
    this.#requireHeld(failure)
    if (this.#lock.isCurrent()) return
    const why =
      'the segment was removed while it was locked; release it, lock it again, and start over'
    throw new StoreError('ERR_STORE_LOCK_LOST', failure, why)
  }

  #failure(doing: string): Failure {
    return { step: `${doing} store segment ${this.identity}`, path: this.#place.directory }
  }
}

/** Whether an entry belongs to a dead process. `verdicts` caches the answers. */
function isDead<State>(
  { entry, read }: ReadEntry<State>,
  verdicts: Map<string, Liveness>,
): boolean {
  if (read instanceof StoreError) return false
  const owner = ownerOf(entry, read)
  if (owner === null) return false
  const key = JSON.stringify(owner)
  const verdict = verdicts.get(key) ?? liveness(owner)
  verdicts.set(key, verdict)
  return verdict === 'dead'
}

function ownerOf<State>(entry: Entry<State>, bytes: Buffer): ProcessIdentity | null {
  try {
    return entry.owner(bytes)
  } catch (error) {
    if (error instanceof StoreError) return null
    throw error
  }
}

function exists(failure: Failure, cause?: unknown): StoreError {
  const why = 'there is an entry with this id; save it with another one, or destroy that first'
  return new StoreError('ERR_STORE_ENTRY_EXISTS', failure, why, { cause })
}
