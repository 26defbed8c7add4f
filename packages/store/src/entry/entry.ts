import type { ProcessIdentity } from '@howdah/lock'
import type { BodyCodec } from './body-codec.ts'
import { decodeEntry } from './entry-body.ts'
import { readStart, removeFile } from './entry-file.ts'
import { headerSize, readKind } from './entry-header.ts'
import type { EntryId } from './entry-id.ts'
import { errno } from '@howdah/durable'
import { StoreError, ioError, type Failure } from '../errors.ts'
import type { StandardSchemaV1 } from '../standard-schema.ts'
import { validateState } from './validate-state.ts'

/** How the entries of a store are written and read. */
export interface EntryFormat<State> {
  readonly codec: BodyCodec
  readonly schema: StandardSchemaV1<unknown, State> | undefined
}

/** The file of an entry. */
export interface EntryPlace {
  /** The identity of its segment. */
  readonly segment: number
  readonly directory: string
  readonly name: string
}

/** An entry and its content. */
export interface LoadedEntry<State> {
  readonly error: null
  /** The identity of its segment. */
  readonly segment: number
  readonly id: EntryId
  /** The kind that it was saved with, 0 to 255. */
  readonly kind: number
  /** The process that owns it. */
  readonly process: ProcessIdentity
  readonly state: State
  /** The entry itself, to destroy it. */
  readonly entry: Entry<State>
}

/**
 * A file in a segment that is an entry, or should be one.
 *
 * The files of entries never change; they only appear and disappear as a whole. So the methods of an entry need no lock. If
 * something must stay true between two steps, do both steps while the segment is locked.
 */
export class Entry<State = unknown> implements AsyncDisposable {
  /** The identity of its segment. */
  readonly segment: number
  /** The name of its file. */
  readonly name: string
  /** The absolute path of its file. */
  readonly path: string
  /** The id, from the file's name; `null` if the name is no id. Then there is an {@link Entry.error}. */
  readonly id: EntryId | null
  /** The error that says why this is no entry; `null` if it is one. Every method rejects with this error. */
  readonly error: StoreError | null
  readonly #format: EntryFormat<State>

  /** @internal Entries come from segments. `id` is the id, or the error that says why the file is no entry. */
  constructor(place: EntryPlace, id: EntryId | StoreError, format: EntryFormat<State>) {
    this.segment = place.segment
    this.name = place.name
    this.path = `${place.directory}/${place.name}`
    this.id = id instanceof StoreError ? null : id
    this.error = id instanceof StoreError ? id : null
    this.#format = format
  }

  /**
   * The kind that it was saved with, 0 to 255. Only the header is read.
   *
   * Rejects with `ERR_STORE_ENTRY_DAMAGED`, `ERR_STORE_ENTRY_REVISION`, `ERR_STORE_ENTRY_GONE` or `ERR_STORE_IO`.
   */
  async kind(): Promise<number> {
    this.#require()
    const failure = this.#failure('read the kind of')
    return readKind(this.#read(failure, headerSize), failure)
  }

  /**
   * Loads the whole entry. The header, the body, the id and the kind are checked, and the schema validates the state.
   *
   * Rejects as {@link Entry.kind} does, and with `ERR_STORE_INVALID_STATE`.
   */
  async load(): Promise<LoadedEntry<State>> {
    return this.complete(this.read())
  }

  /**
   * Removes the file. `false`: the file was already gone.
   *
   * Rejects with `ERR_STORE_IO`.
   */
  async destroy(): Promise<boolean> {
    this.#require()
    try {
      return removeFile(this.path)
    } catch (error) {
      throw ioError(error, this.#failure('destroy'))
    }
  }

  /** Destroys the entry. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }

  /** @internal The bytes of the file, not decoded. */
  read(): Buffer {
    this.#require()
    return this.#read(this.#failure('load'))
  }

  /** @internal Decodes the bytes of the file, and validates the state by the schema. */
  async complete(bytes: Buffer): Promise<LoadedEntry<State>> {
    const id = this.#require()
    const failure = this.#failure('load')
    const { kind, process, state } = decodeEntry(bytes, id, this.#format.codec, failure)
    return {
      error: null,
      segment: this.segment,
      id,
      kind,
      process,
      state: await validateState(this.#format.schema, state, failure),
      entry: this,
    }
  }

  /** @internal The owner that the bytes of the file name. The schema is not asked. */
  owner(bytes: Buffer): ProcessIdentity {
    return decodeEntry(bytes, this.#require(), this.#format.codec, this.#failure('load')).process
  }

  #read(failure: Failure, limit?: number): Buffer {
    try {
      return readStart(this.path, limit)
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw ioError(error, failure)
      throw new StoreError('ERR_STORE_ENTRY_GONE', failure, 'it was destroyed; list again', {
        cause: error,
      })
    }
  }

  #require(): EntryId {
    if (this.id === null) throw this.error
    return this.id
  }

  #failure(doing: string): Failure {
    return { step: `${doing} entry ${this.name} of store segment ${this.segment}`, path: this.path }
  }
}
