import {
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  ftruncateSync,
  renameSync,
  unlinkSync,
  writeFile,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { acquireLock } from './acquire.ts'
import { LockError, LockReleasedError, fileError } from './errors.ts'
import type { Lock } from './lock.ts'
import { syncDirectory } from './publish-file.ts'
import { readWhole } from './read-whole.ts'
import { request, type WaitOptions } from './request.ts'

const writeDescriptor = promisify(writeFile)
const syncDescriptor = promisify(fsync)

/** Options of what writes a locked file. */
export interface EditOptions extends WaitOptions {
  /** Survive a power failure, too: sync the file and its directory, which costs milliseconds; `true` unless told otherwise. */
  durable?: boolean | undefined
  /** The mode of a file that is made, whatever the umask; an existing file's mode stays. */
  mode?: number | undefined
}

/**
 * A file under an exclusive lock.
 *
 * New content is written to `<path>.tmp`, which is locked, too, and renamed to the path when it is complete: so the
 * lock goes on with the new file. Where there is no file yet, the lock on `<path>.tmp` alone excludes others.
 */
export class EditedFile implements Disposable, AsyncDisposable {
  /** The absolute path. */
  readonly path: string
  readonly #options: EditOptions
  /** The lock on the file; `null` where there is none yet. */
  #lock: Lock | null
  /** The lock on what is to become the file; `null` after it has. */
  #staged: Lock | null
  #held = true

  private constructor(path: string, options: EditOptions, lock: Lock | null, staged: Lock) {
    this.path = path
    this.#options = options
    this.#lock = lock
    this.#staged = staged
  }

  /** @internal Waits for the exclusive lock; see `lockedFile.edit`. Neither makes nor changes the file. */
  static async open(path: string, options: EditOptions = {}): Promise<EditedFile> {
    const file = request(path, { timeout: options.timeout }).path
    const deadline = performance.now() + (options.timeout ?? Infinity)
    for (;;) {
      const left = { ...options, timeout: Math.max(0, deadline - performance.now()) }
      const lock = await lockWhereThere(file, left)
      try {
        const staged = await stage(file, left, permissionsFor(lock, options))
        // Made, replaced or removed meanwhile: start again with what is there now.
        if (lock === null ? !existsSync(file) : lock.isCurrent()) {
          return new EditedFile(file, options, lock, staged)
        }
        discard(staged)
      } catch (error) {
        lock?.release()
        throw error
      }
      lock?.release()
    }
  }

  /** Whether the lock is held. */
  get held(): boolean {
    return this.#held
  }

  /** The content; `null` where there is no file yet. Rejects with a `LockError` where it cannot be read. */
  async read(): Promise<string | null> {
    this.#require('read()')
    if (this.#lock === null) return null
    return readWhole(this.#lock.fd, this.path)
  }

  /** Replaces the content, whole. Rejects with a `LockError` where it cannot be written; the file is then unchanged. */
  async write(content: string): Promise<void> {
    this.#require('write()')
    const { durable = true } = this.#options
    const staged =
      this.#staged ?? (await stage(this.path, {}, permissionsFor(this.#lock, this.#options)))
    this.#staged = null
    try {
      this.#prepare(staged.fd)
      await writeDescriptor(staged.fd, content)
      if (durable) await syncDescriptor(staged.fd)
      renameSync(staged.path, this.path)
    } catch (error) {
      discard(staged)
      throw fileError(error, this.path, 'write')
    }
    this.#lock?.release()
    this.#lock = staged
    if (!this.#held) staged.release()
    if (durable) await syncDirectory(dirname(this.path))
  }

  /** Releases the lock. Idempotent. */
  release(): void {
    this.#held = false
    if (this.#staged) discard(this.#staged)
    this.#staged = null
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

  /** Empties what a killed process may have left, and gives it mode and owner, before anything is written. */
  #prepare(fd: number): void {
    ftruncateSync(fd)
    if (this.#lock === null) {
      if (this.#options.mode !== undefined) fchmodSync(fd, this.#options.mode)
      return
    }
    const old = fstatSync(this.#lock.fd)
    const now = fstatSync(fd)
    if (old.uid !== now.uid || old.gid !== now.gid) {
      try {
        fchownSync(fd, old.uid, old.gid)
      } catch {
        // Only root gives files away; then the file becomes ours.
      }
    }
    fchmodSync(fd, old.mode & 0o7777)
  }

  #require(what: string): void {
    if (!this.#held) throw new LockReleasedError(this.path, what)
  }
}

/** The lock on the file, or `null` where there is none but could be one. */
async function lockWhereThere(path: string, options: EditOptions): Promise<Lock | null> {
  const { timeout, signal, onWait } = options
  try {
    // The times of a file that is not changed stay.
    return await acquireLock(request(path, { create: false, timeout, signal, onWait }))
  } catch (error) {
    if (!(error instanceof LockError && error.code === 'ERR_LOCK_NOT_FOUND')) throw error
    if (!existsSync(dirname(path))) throw error
    return null
  }
}

/** What nobody who may not read the file may open, even while it is still empty. */
function permissionsFor(lock: Lock | null, { mode }: EditOptions): number | undefined {
  const wanted = lock === null ? mode : fstatSync(lock.fd).mode
  return wanted === undefined ? undefined : wanted & 0o666
}

/** The lock on what is to become the file. */
async function stage(
  path: string,
  { timeout, signal, onWait }: WaitOptions,
  permissions: number | undefined,
): Promise<Lock> {
  return acquireLock(request(`${path}.tmp`, { fair: false, timeout, signal, onWait, permissions }))
}

/** Removes what did not become the file. */
function discard(staged: Lock): void {
  try {
    if (staged.held && staged.isCurrent()) unlinkSync(staged.path)
  } catch {
    // It stays, and is used again.
  } finally {
    staged.release()
  }
}
