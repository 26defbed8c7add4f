import { createHash } from 'node:crypto'
import { fstatSync, ftruncateSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isTemporaryName, temporaryName } from '@howdah/durable'
import { acquireLock } from '../waiting/acquire.ts'
import { LockFile } from '../lock-file.ts'
import { Lock } from '../lock.ts'
import { request, type WaitOptions } from '../waiting/request.ts'

/** How long a name may be for its own to be part of another one, in bytes. */
const longestName = 240

/**
 * The right of one process at a time to make or replace a file, also one that is not there yet.
 *
 * It is a lock on `.<name>.howdah` beside the file, which is removed at the release. While new content is being written,
 * the name of its temporary file stands in there, so that the next process removes what a killed one left.
 */
export class Staging {
  readonly #path: string
  readonly #lock: Lock

  private constructor(path: string, lock: Lock) {
    this.#path = path
    this.#lock = lock
  }

  /** Waits for it. Rejects as `acquire` does. A lock file that has to be made gets these permissions. */
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

  /** Whether it is held. */
  get held(): boolean {
    return this.#lock.held
  }

  /** A new, empty, locked file beside the one that it is to become. Throws a `LockError`. */
  create(permissions: number | undefined): Lock {
    const path = temporaryName(this.#path)
    this.#note(basename(path))
    const file = LockFile.open({ path, create: true, onlyNew: true, permissions })
    file.tryLock('exclusive')
    return new Lock(file, false)
  }

  /** Removes a file of {@link Staging.create} that did not become another one, and releases it. */
  discard(staged: Lock): void {
    try {
      if (staged.held && staged.isCurrent()) unlinkSync(staged.path)
    } catch {
      // It stays, and the next process removes it.
    } finally {
      staged.release()
    }
  }

  /** Idempotent. */
  release(): void {
    if (!this.#lock.held) return
    // What others wait for is another file after this, which they find out.
    if (this.#lock.isCurrent()) attempt(() => unlinkSync(this.#lock.path))
    this.#lock.release()
  }

  /** Removes what the process that was killed here was writing. */
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

/** For what only tidies up: a left-over file of another user's may stay. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {}
}
