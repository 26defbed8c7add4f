import { createHash } from 'node:crypto'
import { fstatSync, ftruncateSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isTemporaryName, temporaryName } from '@howdah/durable'
import { acquireLock } from '../waiting/acquire.ts'
import { LockFile } from '../lock-file.ts'
import { Lock } from '../lock.ts'
import { request, type WaitOptions } from '../waiting/request.ts'

/** The longest name, in bytes, that is used in full in the name of the staging lock; a longer one is hashed. */
const longestName = 240

/**
 * The right to make or replace a file, even a missing one. One process at a time has it.
 *
 * It is a lock on `.<name>.howdah` beside the file; the release removes that lock file. While new content is written, the
 * lock file contains the name of the temporary file, so that the next process can remove the temporary file of a killed one.
 */
export class Staging {
  readonly #path: string
  readonly #lock: Lock

  private constructor(path: string, lock: Lock) {
    this.#path = path
    this.#lock = lock
  }

  /** Waits for the right. Rejects as `acquire` does. A new lock file gets these permissions. */
  static async acquire(
    path: string,
    { timeout, signal, onWait }: WaitOptions,
    permissions: number | undefined,
  ): Promise<Staging> {
    const place = join(dirname(path), `.${shortened(basename(path))}.howdah`)
    const wait = { fair: false, timeout, signal, onWait, permissions }
    const lock = await acquireLock(request(place, wait))
    const staging = new Staging(path, lock)
    staging.#clear()
    return staging
  }

  /** Whether the right is held. */
  get held(): boolean {
    return this.#lock.held
  }

  /** Makes a new, empty, locked file beside the file that it will replace. Throws a `LockError`. */
  create(permissions: number | undefined): Lock {
    const path = temporaryName(this.#path)
    this.#note(basename(path))
    const file = LockFile.open({ path, create: true, onlyNew: true, permissions })
    file.tryLock('exclusive')
    return new Lock(file, false)
  }

  /** Removes a file of {@link Staging.create} that was not renamed, and releases its lock. */
  discard(staged: Lock): void {
    try {
      if (staged.held && staged.isCurrent()) unlinkSync(staged.path)
    } catch {
      // The file stays, and the next process removes it.
    } finally {
      staged.release()
    }
  }

  /** Idempotent. */
  release(): void {
    if (!this.#lock.held) return
    // Others who wait for the lock on this file see that the path no longer leads to it, and start again.
    if (this.#lock.isCurrent()) attempt(() => unlinkSync(this.#lock.path))
    this.#lock.release()
  }

  /** Removes the temporary file that a killed process has left. */
  #clear(): void {
    attempt(() => {
      if (fstatSync(this.#lock.fd).size === 0) return
      const name = readFileSync(this.#lock.path, 'utf8')
      if (isTemporaryName(name, basename(this.#path))) {
        rmSync(join(dirname(this.#path), name), { force: true })
      }
    })
  }

  #note(name: string): void {
    attempt(() => {
      ftruncateSync(this.#lock.fd)
      writeSync(this.#lock.fd, name, 0)
    })
  }
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}

/** Ignores errors of an action that only tidies up: a file left by another user may stay. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {}
}
