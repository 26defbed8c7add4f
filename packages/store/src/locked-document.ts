import { acquire, type Lock, makeDirectories, type WaitOptions } from '@howdah/lock'
import { basename, dirname, resolve } from 'node:path'
import { DocumentFile } from './document-file.ts'
import { documentDamaged, StoreError, ioError, lockError, type Failure } from './errors.ts'
import { requireOrder, runHolding } from './lock-order.ts'
import { patient } from './patient.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'
import { validateState } from './entry/validate-state.ts'

/** Options of a {@link LockedDocument}. */
export interface DocumentOptions<Value extends object> {
  /** What a document is if there is no file yet. */
  empty: () => Value
  /** What every document is to be: any Standard Schema. Without it, documents are not checked. */
  schema?: StandardSchemaV1<Value, Value> | undefined
  /** What is published survives a power failure, too, which costs milliseconds; `true` unless told otherwise. */
  durable?: boolean | undefined
}

/** What {@link LockedDocument.recover} found and did. */
export interface Recovery {
  /** `'intact'`: it was not damaged, or is not any more. `'recovered'`: the last good version is in its place. */
  readonly outcome: 'intact' | 'recovered'
  /** Where the damaged file is kept; `null` if it was intact. */
  readonly damaged: string | null
  /** What was wrong with it; `null` if nothing was. */
  readonly error: StoreError | null
}

/**
 * One JSON document that processes share: an object or array, read, changed and published whole under one lock.
 *
 * Beside `<path>` lie `<path>.lock` and `<path>.good`, the last good version, for recovery; for moments, temporary files.
 * The file appears by rename, so that a kill at any instant leaves the old document or the new. A missing file is an empty
 * document; an empty or damaged file is an error, never an empty document.
 *
 * Waits end after 30 s unless told otherwise, with `ERR_STORE_LOCK_TIMEOUT`.
 *
 * @example
 * const counters = new LockedDocument('counters.json', { empty: () => ({ runs: 0 }) })
 * await counters.update((document) => { document.runs += 1 })
 */
export class LockedDocument<Value extends object> {
  /** The absolute path. */
  readonly path: string
  readonly #file: DocumentFile
  readonly #options: DocumentOptions<Value>

  /** Touches nothing. */
  constructor(path: string, options: DocumentOptions<Value>) {
    this.path = resolve(path)
    this.#options = options
    this.#file = new DocumentFile(this.path, options.durable ?? true)
  }

  /**
   * The document as it was last published. Neither waits nor makes anything; what is done to the result changes nothing.
   *
   * Rejects with `ERR_STORE_DOCUMENT_DAMAGED`, `ERR_STORE_INVALID_STATE` if the schema refuses it, or `ERR_STORE_IO`.
   */
  async read(): Promise<Value> {
    const failure = this.#failure('read')
    return this.#decode(this.#file.read(failure), failure)
  }

  /**
   * Runs `change` under the lock, and publishes what it made of the document, unless that is what it was. Returns what
   * `change` returns; if that throws, nothing is published. The directory is made if it is missing, 0700, and the
   * file 0600.
   *
   * Within `change`, `update` and `recover` of the same document are refused with `ERR_STORE_LOCK_ORDER`. Rejects as
   * {@link LockedDocument.read} does, with the signal's reason, `ERR_STORE_LOCK` or `ERR_STORE_LOCK_TIMEOUT`.
   */
  async update<Result>(
    change: (document: Value) => Result | Promise<Result>,
    options: WaitOptions = {},
  ): Promise<Result> {
    return this.#locked(options, async (lock) => {
      const failure = this.#failure('update')
      const old = this.#file.read(failure)
      const document = await this.#decode(old, failure)
      const result = await change(document)
      const text = await this.#encode(document, failure)
      if (text !== old) await this.#file.publish(text, lock.fd, failure)
      return result
    })
  }

  /**
   * Puts the last good version in the place of a damaged file, and keeps that as `<path>.damaged`.
   *
   * Rejects with `ERR_STORE_DOCUMENT_LOST` if there is no good version; otherwise as {@link LockedDocument.update}.
   */
  async recover(options: WaitOptions = {}): Promise<Recovery> {
    return this.#locked(options, async (lock) => {
      const failure = this.#failure('recover')
      const error = await this.#damage()
      if (error === null) return { outcome: 'intact', damaged: null, error }
      const text = await this.#lastGood(error, failure)
      const damaged = this.#file.keepDamaged(failure)
      await this.#file.publish(text, lock.fd, failure)
      return { outcome: 'recovered', damaged, error }
    })
  }

  /** What is wrong with the file; `null` if nothing is. */
  async #damage(): Promise<StoreError | null> {
    try {
      await this.read()
      return null
    } catch (error) {
      if (isDamage(error)) return error
      throw error
    }
  }

  async #lastGood(error: StoreError, failure: Failure): Promise<string> {
    try {
      const text = this.#file.readGood(failure)
      if (text === null) throw documentDamaged(failure, 'there is no good version')
      await this.#decode(text, failure)
      return text
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      const why =
        `it is damaged, and so is its last good version, or there is none; ` +
        `see that nobody relies on it, and remove ${this.path} to begin with an empty one`
      throw new StoreError('ERR_STORE_DOCUMENT_LOST', failure, why, { cause: error })
    }
  }

  async #decode(text: string | null, failure: Failure): Promise<Value> {
    if (text === null) return this.#options.empty()
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      const why = text.trim() === '' ? 'its file is empty' : 'its file is not JSON'
      throw documentDamaged(failure, why, cause)
    }
    if (typeof value !== 'object' || value === null)
      throw documentDamaged(failure, 'its file holds no object and no array')
    return validateState(this.#options.schema, value, failure)
  }

  /** The text of a document that will decode again. */
  async #encode(document: Value, failure: Failure): Promise<string> {
    const text = `${JSON.stringify(document)}\n`
    await this.#decode(text, failure)
    return text
  }

  async #locked<Result>(
    options: WaitOptions,
    action: (lock: Lock) => Promise<Result>,
  ): Promise<Result> {
    const order = { family: this.path, rank: 0 }
    const failure = this.#failure('acquire lock on')
    requireOrder(order, failure)
    try {
      makeDirectories(dirname(this.path), 0o700)
    } catch (error) {
      throw ioError(error, failure)
    }
    const lock = await acquire(this.#file.lockPath, patient(options)).catch((error: unknown) => {
      throw lockError(error, failure)
    })
    try {
      return await runHolding({ ...order, lock }, () => action(lock))
    } finally {
      lock.release()
    }
  }

  #failure(doing: string): Failure {
    return { step: `${doing} document ${basename(this.path)}`, path: this.path }
  }
}

/** Whether a document is there and is not what it should be. */
function isDamage(error: unknown): error is StoreError {
  return (
    error instanceof StoreError &&
    (error.code === 'ERR_STORE_DOCUMENT_DAMAGED' || error.code === 'ERR_STORE_INVALID_STATE')
  )
}
