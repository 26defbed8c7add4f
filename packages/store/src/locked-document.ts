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
  /** Makes the document that is read if there is no file yet. */
  empty: () => Value
  /** The schema of the document, any Standard Schema. Without it, documents are not checked. */
  schema?: StandardSchemaV1<Value, Value> | undefined
  /**
   * Check a changed document by the schema before it is published; `true` unless told otherwise. For a large document that
   * takes half of the time. With `false`, every change must leave a document that the schema accepts when it is read.
   */
  checkChanges?: boolean | undefined
  /** Sync every change, so that it survives a power failure. It costs milliseconds; `true` unless told otherwise. */
  durable?: boolean | undefined
}

/** The result of {@link LockedDocument.recover}. */
export interface Recovery {
  /** `'intact'`: the document is not damaged. `'recovered'`: the last good version has replaced it. */
  readonly outcome: 'intact' | 'recovered'
  /** The path where the damaged file is kept; `null` if the document was intact. */
  readonly damaged: string | null
  /** What was wrong with the document; `null` if it was intact. */
  readonly error: StoreError | null
}

/**
 * One JSON document that processes share. It is an object or array that is read, changed and published as a whole under one
 * lock.
 *
 * Beside `<path>` lie `<path>.lock`, the last good version `<path>.good`, and temporary files while a change is written. The
 * document is replaced by a rename, so a kill at any instant leaves the old document or the new one. A missing file is an
 * empty document; an empty or damaged file is an error, never an empty document.
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

  /** Makes and opens no file. */
  constructor(path: string, options: DocumentOptions<Value>) {
    this.path = resolve(path)
    this.#options = options
    this.#file = new DocumentFile(this.path, options.durable ?? true)
  }

  /**
   * The document as it was last published. It never waits and makes no file. Changes to the result do not change the
   * document.
   *
   * Rejects with `ERR_STORE_DOCUMENT_DAMAGED`, with `ERR_STORE_INVALID_STATE` if the schema refuses the document, or with
   * `ERR_STORE_IO`.
   */
  async read(): Promise<Value> {
    const failure = this.#failure('read')
    return this.#decode(this.#file.read(failure), failure)
  }

  /**
   * Runs `change` under the lock, and publishes the document if `change` has changed it. Resolves with the result of
   * `change`; if `change` throws, nothing is published. A missing directory is made with mode 0700, a missing file with mode
   * 0600.
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
   * Replaces a damaged file by the last good version, and keeps the damaged file as `<path>.damaged`.
   *
   * Rejects with `ERR_STORE_DOCUMENT_LOST` if there is no good version, and as {@link LockedDocument.update} does.
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

  /** The damage of the document; `null` if it is intact. */
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

  /** Encodes a document, and checks that the text decodes again. Unless a schema is asked, every object and array does. */
  async #encode(document: Value, failure: Failure): Promise<string> {
    const text = `${JSON.stringify(document)}\n`
    const { schema, checkChanges = true } = this.#options
    const isCertain = (schema === undefined || !checkChanges) && /^[{[]/.test(text)
    if (!isCertain) await this.#decode(text, failure)
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

/** Whether an error means that the document exists but is damaged. */
function isDamage(error: unknown): error is StoreError {
  return (
    error instanceof StoreError &&
    (error.code === 'ERR_STORE_DOCUMENT_DAMAGED' || error.code === 'ERR_STORE_INVALID_STATE')
  )
}
