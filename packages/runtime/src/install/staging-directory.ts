import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno } from '@howdah/durable'
import { acquire, type Lock, tryAcquire } from '@howdah/lock'

/**
 * A directory beside the place where what is built in it is to appear at once.
 *
 * Its process holds a lock in it for as long as it lives, so that others can sweep up after one that was killed.
 */
export class StagingDirectory implements AsyncDisposable {
  readonly path: string
  /** `null` if nothing can be locked here; then nobody sweeps. */
  readonly #lock: Lock | null

  private constructor(path: string, lock: Lock | null) {
    this.path = path
    this.#lock = lock
  }

  /** Makes one in a directory, 0700, after sweeping up those of dead processes. */
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
      // Another process has swept it up before it was locked.
    }
  }

  /** A path inside. */
  file(...names: string[]): string {
    return join(this.path, ...names)
  }

  /**
   * Makes something inside appear in its place, at once. Says `false`, and leaves it, if something has been put there in
   * the meantime.
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

  /** Moves a thing away in here, to be removed with the rest. Says `false` if it was gone already. */
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

/** Nobody queues for the lock: it is held by the one process that builds, or for a moment by one that sweeps. */
const held = { fair: false, permissions: 0o600 } as const

function lockIn(path: string): string {
  return join(path, '.lock')
}

/** Removes what dead processes have left in a directory. */
async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  const stagings = names.filter((name) => name.startsWith(prefix))
  await Promise.all(stagings.map((name) => removeAbandoned(join(parent, name)).catch(() => {})))
}

/** Removes a staging directory if no process holds its lock. One that cannot be locked is left. */
async function removeAbandoned(path: string): Promise<void> {
  const lock = await tryAcquire(lockIn(path), held)
  if (lock === null) return
  try {
    await rm(path, { recursive: true, force: true })
  } finally {
    lock.release()
  }
}
