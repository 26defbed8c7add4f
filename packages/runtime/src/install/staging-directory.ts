import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno } from '@howdah/durable'
import { acquire, type Lock, tryAcquire } from '@howdah/lock'

/**
 * A temporary directory in which a tree is built, beside the final place of the tree.
 *
 * Its process holds a lock in it while it lives, so that other processes can remove the directory of a killed process.
 */
export class StagingDirectory implements AsyncDisposable {
  readonly path: string
  /** `null` if nothing can be locked here; in this case no process removes it. */
  readonly #lock: Lock | null

  private constructor(path: string, lock: Lock | null) {
    this.path = path
    this.#lock = lock
  }

  /** Makes a staging directory in a directory, with mode 0700, after removing those of dead processes. */
  static async create(parent: string): Promise<StagingDirectory> {
    await sweep(parent)
    for (;;) {
      const path = join(parent, `${prefix}${randomUUID()}`)
      await mkdir(path, { mode: 0o700 })
      try {
        const lock = await acquire(lockIn(path), held)
        if (lock.isCurrent()) return new StagingDirectory(path, lock)
        lock.release()
      } catch (error) {
        const code = errno(error)
        if (withoutLocks.has(code)) return new StagingDirectory(path, null)
        if (code !== 'ERR_LOCK_NOT_FOUND') throw error
      }
      // Another process removed the directory before we locked it.
    }
  }

  /** A path in the directory. */
  file(...names: string[]): string {
    return join(this.path, ...names)
  }

  /**
   * Moves a file or directory to its final place, atomically. Returns `false`, and does not move it, if something has been
   * put there in the meantime.
   */
  async publish(name: string, target: string): Promise<boolean> {
    try {
      await rename(this.file(name), target)
      return true
    } catch (error) {
      const code = errno(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
      throw error
    }
  }

  /** Moves a file or directory in here, to be removed with the staging directory. Returns `false` if it did not exist. */
  async bury(path: string): Promise<boolean> {
    try {
      await rename(path, this.file(`${basename(dirname(path))}-${randomUUID()}`))
      return true
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await rm(this.path, { recursive: true, force: true, maxRetries: 3 })
    } finally {
      this.#lock?.release()
    }
  }
}

const prefix = '.staging-'

/** Nothing can be locked on this file system, or on this platform. */
const withoutLocks = new Set(['ERR_LOCK_BINDING', 'ERR_LOCK_UNSUPPORTED'])

/** No process waits for the lock: only the process that builds holds it, or briefly a process that removes the directory. */
const held = { fair: false, permissions: 0o600 } as const

function lockIn(path: string): string {
  return join(path, '.lock')
}

/** Removes the staging directories of dead processes. */
async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  const stagings = names.filter((name) => name.startsWith(prefix))
  await Promise.all(stagings.map((name) => removeAbandoned(join(parent, name)).catch(() => {})))
}

/** Removes a staging directory if no process holds its lock. Leaves it if it cannot be locked. */
async function removeAbandoned(path: string): Promise<void> {
  const lock = await tryAcquire(lockIn(path), held)
  if (lock === null) return
  try {
    // A program that a killed process has started may still write there.
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  } finally {
    lock.release()
  }
}
