import { existsSync, fchmodSync, fstatSync, renameSync, writeFile } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { keepAttributes, keepExtendedAttributes, syncDirectory, syncFile } from '@howdah/durable'
import { acquireLock } from '../waiting/acquire.ts'
import { LockError, fileError, lockReleased } from '../errors.ts'
import type { Lock } from '../lock.ts'
import { request, type WaitOptions } from '../waiting/request.ts'
import { readWhole } from './read-whole.ts'
import { requireRegular } from './require-regular.ts'
import { Staging } from './staging.ts'

const writeDescriptor = promisify(writeFile)

/** Options of the calls that write a locked file. */
export interface EditOptions extends WaitOptions {
  /**
   * Sync the file and its directory, so that the content survives a power failure. It costs milliseconds; `true` by default.
   */
  durable?: boolean | undefined
  /** The mode of a new file, whatever the umask. An existing file keeps its mode. */
  mode?: number | undefined
}

/**
 * A file under an exclusive lock.
 *
 * New content is written to a temporary file, which is locked before it is renamed to the path. So the file at the path stays
 * locked, though it is another file.
 */
export class EditedFile implements Disposable, AsyncDisposable {
  /** The absolute path. */
  readonly path: string
  readonly #options: EditOptions
  readonly #staging: Staging
  /** The lock on the file; `null` while there is no file. */
  #lock: Lock | null

  private constructor(path: string, options: EditOptions, lock: Lock | null, staging: Staging) {
    this.path = path
    this.#options = options
    this.#lock = lock
    this.#staging = staging
  }

  /** @internal Waits for the exclusive lock; see `lockedFile.edit`. Neither makes nor changes the file. */
  static async open(path: string, options: EditOptions = {}): Promise<EditedFile> {
    const file = request(path, { timeout: options.timeout }).path
    const deadline = performance.now() + (options.timeout ?? Infinity)
    for (;;) {
      const left = { ...options, timeout: Math.max(0, deadline - performance.now()) }
      const lock = await lockWhereThere(file, left)
      try {
        if (lock !== null) requireRegular(lock)
        const staging = await Staging.acquire(file, left, permissionsFor(lock, options))
        // If the file was made, replaced or removed meanwhile, start again.
        if (lock === null ? !existsSync(file) : lock.isCurrent()) {
          return new EditedFile(file, options, lock, staging)
        }
        staging.release()
      } catch (error) {
        lock?.release()
        throw error
      }
      lock?.release()
    }
  }

  /** Whether the lock is held. */
  get held(): boolean {
    return this.#staging.held
  }

  /** The content; `null` if there is no file yet. Rejects with a `LockError` if the file cannot be read. */
  async read(): Promise<string | null> {
    this.#require('read()')
    if (this.#lock === null) return null
    return readWhole(this.#lock.fd, this.path)
  }

  /**
   * Replaces the whole content. If the content cannot be written, or the lock is released meanwhile, it rejects with a
   * `LockError` and leaves the file unchanged.
   */
  async write(content: string): Promise<void> {
    this.#require('write()')
    const { durable = true } = this.#options
    const staged = this.#staging.create(permissionsFor(this.#lock, this.#options))
    try {
      await this.#prepare(staged.fd)
      await writeDescriptor(staged.fd, content)
      // A write of an ordinary user drops set-id bits.
      this.#keepAttributes(staged.fd)
      if (durable) await syncFile(staged.fd)
      // If the lock was released meanwhile, another process may have locked the file.
      this.#require('write()')
      renameSync(staged.path, this.path)
    } catch (error) {
      this.#staging.discard(staged)
      throw fileError(error, this.path, 'write')
    }
    this.#lock?.release()
    this.#lock = staged
    if (!durable) return
    await syncDirectory(dirname(this.path)).catch((error: unknown) => {
      throw fileError(error, this.path, 'sync the directory of')
    })
  }

  /** Releases the lock. Idempotent. */
  release(): void {
    this.#staging.release()
    this.#lock?.release()
  }

  /** Releases. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Releases. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }

  /** Gives the new file the owner, mode and attributes of the old one, before anything is written. */
  async #prepare(fd: number): Promise<void> {
    if (this.#lock === null) {
      if (this.#options.mode !== undefined) fchmodSync(fd, this.#options.mode)
      return
    }
    await keepExtendedAttributes(fd, this.#lock.fd)
    this.#keepAttributes(fd)
  }

  #keepAttributes(fd: number): void {
    if (this.#lock !== null) keepAttributes(fd, fstatSync(this.#lock.fd))
  }

  #require(what: string): void {
    if (!this.held) throw lockReleased(this.path, what)
  }
}

/** Locks the file; `null` if the file is missing but its directory exists. */
async function lockWhereThere(path: string, options: EditOptions): Promise<Lock | null> {
  const { timeout, signal, onWait } = options
  try {
    // `create: false` does not touch the times of the file.
    return await acquireLock(request(path, { create: false, timeout, signal, onWait }))
  } catch (error) {
    if (!(error instanceof LockError && error.code === 'ERR_LOCK_NOT_FOUND')) throw error
    if (!existsSync(dirname(path))) throw error
    return null
  }
}

/** The permissions of a temporary file: nobody may open it who may not open the file itself, even while it is empty. */
function permissionsFor(lock: Lock | null, { mode }: EditOptions): number | undefined {
  const wanted = lock === null ? mode : fstatSync(lock.fd).mode
  return wanted === undefined ? undefined : wanted & 0o666
}
