import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { errno } from './errno.ts'
import { fileError } from './errors.ts'
import { tryFlock, unlock, requireFlock } from './flock.ts'
import type { LockMode } from './lock-mode.ts'

// libuv adds O_CLOEXEC. O_NONBLOCK, so that a FIFO at the path cannot hang the process.
const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const careful = O_NOFOLLOW | O_NONBLOCK

/** How a lock file is opened. */
export interface Opening {
  readonly path: string
  /** Make the file where there is none. */
  readonly create: boolean
  /** Open for reading although writing is allowed. */
  readonly readOnly?: boolean
}

/**
 * A lock file, open. The lock belongs to the open file description, so to this object.
 *
 * A raw descriptor, since a `FileHandle` that is garbage collected silently drops the lock.
 */
export class LockFile {
  readonly path: string
  readonly fd: number
  readonly isDirectory: boolean
  readonly dev: bigint
  readonly ino: bigint
  /** What it holds. */
  mode: LockMode | null = null
  #open = true

  private constructor(path: string, fd: number, directory: boolean) {
    this.path = path
    this.fd = fd
    this.isDirectory = directory
    const { dev, ino } = fstatSync(fd, { bigint: true })
    this.dev = dev
    this.ino = ino
  }

  /**
   * Opens the file for reading and writing, or for reading where it exists and this user may not write it; an existing
   * directory for reading, after resolving symbolic links. Never truncates.
   */
  static open({ path, create, readOnly = false }: Opening): LockFile {
    requireFlock(path)
    const made = create ? O_CREAT : 0
    try {
      return new LockFile(
        path,
        openSync(path, (readOnly ? O_RDONLY : O_RDWR) | made | careful, 0o666),
        false,
      )
    } catch (error) {
      const code = errno(error)
      if (code === 'EISDIR' || (code === 'ELOOP' && isDirectory(path)))
        return LockFile.#openDirectory(path)
      if (!readOnly && (code === 'EACCES' || code === 'EROFS'))
        return LockFile.#openForReading(path, error)
      throw fileError(error, path, 'open the lock file')
    }
  }

  static #openForReading(path: string, refused: unknown): LockFile {
    try {
      const fd = openSync(path, O_RDONLY | careful)
      return new LockFile(path, fd, fstatSync(fd).isDirectory())
    } catch {
      throw fileError(refused, path, 'open the lock file')
    }
  }

  static #openDirectory(path: string): LockFile {
    try {
      return new LockFile(
        path,
        openSync(realpathSync.native(path), O_RDONLY | O_DIRECTORY | careful),
        true,
      )
    } catch (error) {
      throw fileError(error, path, 'open the directory')
    }
  }

  /** Tries to lock or convert, without waiting. `false`: it now holds **nothing**. */
  tryLock(mode: LockMode): boolean {
    const locked = tryFlock(this.fd, mode, this.path)
    this.mode = locked ? mode : null
    return locked
  }

  /** Whether the path still leads to this file: it may have been unlinked or replaced. */
  isCurrent(): boolean {
    const options = { bigint: true, throwIfNoEntry: false } as const
    try {
      const now = this.isDirectory ? statSync(this.path, options) : lstatSync(this.path, options)
      return now !== undefined && now.ino === this.ino && now.dev === this.dev
    } catch {
      return false
    }
  }

  /** Unlocks, wakes those who wait, and closes. Idempotent. */
  release({ wake = true }: { wake?: boolean } = {}): void {
    if (!this.#open) return
    const held = this.mode !== null
    try {
      // Explicitly, since a child may have a copy of the descriptor.
      if (held) unlock(this.fd)
      this.mode = null
      if (held && wake) this.touch()
    } finally {
      this.close()
    }
  }

  /** Wakes those who watch the file, by setting its times. Directories are left alone: those who wait for one poll. */
  touch(): void {
    if (this.isDirectory) return
    try {
      const now = Date.now() / 1000
      futimesSync(this.fd, now, now)
    } catch {
      // Not ours, or read-only: those who wait poll, too.
    }
  }

  /** Closes without unlocking: whoever has a copy of the descriptor holds on. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.mode = null
    closeSync(this.fd)
  }
}

/** Whether the path leads to a directory, symbolic links resolved. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}
