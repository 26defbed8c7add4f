import { lstatSync, unlinkSync } from 'node:fs'
import { errno } from '@howdah/durable'
import type { Lock } from '../lock.ts'
import { leadsTo } from './claim.ts'
import { LockfileError } from './errors.ts'

/** All lock files that this thread holds. `unlock` gets only the name of a file, and looks here. */
const all = new Set<HeldLockfile>()

/** A lock file that is held until it is released, until somebody removes it, or until its process ends. */
export class HeldLockfile {
  /** The file that the lock guards. */
  readonly file: string
  /** The lock file. */
  readonly path: string
  readonly #lock: Lock
  readonly #onCompromised: (error: LockfileError) => unknown
  readonly #look: NodeJS.Timeout
  #released = false

  /** Takes over a lock. Checks every `update` ms whether the lock file is still there. */
  constructor(
    file: string,
    path: string,
    lock: Lock,
    { update, onCompromised }: HeldLockfileOptions,
  ) {
    this.file = file
    this.path = path
    this.#lock = lock
    this.#onCompromised = onCompromised
    this.#look = setInterval(() => this.#check(), update).unref()
    // The API promises that the lock files of an ending process are removed; see the README for what a signal leaves.
    if (all.size === 0) process.on('exit', releaseAll)
    all.add(this)
  }

  /** The lock on a file that this thread took last; with `path`, the one with that lock file. */
  static find(file: string, path: string | undefined): HeldLockfile | undefined {
    return [...all].findLast((one) => one.file === file && (path ?? one.path) === one.path)
  }

  /**
   * Removes the lock file, and unlocks. Throws `ERELEASED` at the second call, or the system's error if the file cannot be
   * removed.
   */
  release(): void {
    if (this.#released) {
      throw new LockfileError(
        'ERELEASED',
        this.file,
        `Lock is already released: ${this.path}; acquire it again`,
      )
    }
    try {
      // Under the lock the file stays ours. If the path leads to another file, that file is left alone.
      if (leadsTo(this.path, this.#lock)) unlinkSync(this.path)
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error
    } finally {
      this.#forget()
    }
  }

  #check(): void {
    try {
      if (leadsTo(this.path, this.#lock)) return
    } catch {
      // The path cannot be looked at, and the lock is still held.
      return
    }
    const gone = lstatSync(this.path, { throwIfNoEntry: false }) === undefined
    this.#forget()
    const what = gone
      ? `ENOENT: somebody has removed the lock file ${this.path}`
      : `somebody has replaced the lock file ${this.path}`
    this.#onCompromised(
      new LockfileError(
        'ECOMPROMISED',
        this.file,
        `${what}, so that others may have locked ${this.file}; leave lock files alone, and lock it again`,
      ),
    )
  }

  #forget(): void {
    this.#released = true
    clearInterval(this.#look)
    all.delete(this)
    if (all.size === 0) process.off('exit', releaseAll)
    this.#lock.release()
  }
}

interface HeldLockfileOptions {
  /** How often to look, in ms. */
  readonly update: number
  readonly onCompromised: (error: LockfileError) => unknown
}

function releaseAll(): void {
  for (const held of all) {
    try {
      held.release()
    } catch {
      // The kernel unlocks it anyway.
    }
  }
}
