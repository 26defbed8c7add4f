import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs'
import type { Native } from './binding/binding.ts'
import { binding } from './binding/load-binding.ts'
import { errno } from '@howdah/durable'
import { errnoName } from './errno-name.ts'
import { fileError } from './errors.ts'
import { operationOf, tryFlock, unlock } from './flock.ts'
import type { LockMode } from './lock-mode.ts'

// libuv adds O_CLOEXEC. O_NONBLOCK keeps a FIFO at the path from blocking the process.
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const careful = O_NOFOLLOW | O_NONBLOCK

/** {@link Native.take} gives this number less the descriptor if the file is open but not locked. */
const blocked = -4096

/** How a lock file is opened. */
export interface Opening {
  readonly path: string
  /** Make the file if it is missing. */
  readonly create: boolean
  /** The permissions of a new file, less the umask; 0o666 by default. */
  readonly permissions?: number | undefined
  /**
   * The path must lead to a directory. It is set as soon as the path is found to lead to one, so that a wait for a lock on a
   * directory never ends with a lock on a file that has replaced the directory.
   */
  directory?: boolean | undefined
  /** Fail if the file exists. */
  readonly onlyNew?: boolean | undefined
  /** Open the file for reading, even if this user may write to it. */
  readonly readOnly?: boolean | undefined
}

/**
 * An open lock file. The lock belongs to the open file description, and so to this object.
 *
 * It has a raw descriptor, because a `FileHandle` that is garbage collected would silently drop the lock.
 */
export class LockFile {
  readonly path: string
  readonly fd: number
  readonly isDirectory: boolean
  /** The mode of the lock that is held; `null` if none is. */
  mode: LockMode | null = null
  /** The addon that opened the descriptor and has to close it; `null` if Node did. */
  readonly #native: Native | null
  #open = true

  private constructor(path: string, fd: number, directory: boolean, native: Native | null) {
    this.path = path
    this.fd = fd
    this.isDirectory = directory
    this.#native = native
  }

  /**
   * Makes a lock file of a descriptor that Node has opened. The addon, if there is one, takes the descriptor over, because
   * the addon closes it when a worker is terminated.
   */
  static #adopt(path: string, fd: number, directory: boolean): LockFile {
    const { native } = binding(path)
    if (native === null) return new LockFile(path, fd, directory, null)
    const adopted = native.adopt(fd)
    closeSync(fd)
    if (adopted >= 0) return new LockFile(path, adopted, directory, native)
    const code = errnoName(-adopted)
    throw fileError(Object.assign(new Error(code), { code }), path, 'open the lock file')
  }

  /**
   * Opens the file for reading and writing. An existing file that this user may not write to, and a directory, are opened for
   * reading; symbolic links are followed only to a directory. Never truncates.
   */
  static open(opening: Opening): LockFile {
    const { path, create, permissions = 0o666, onlyNew = false, readOnly = false } = opening
    // The binding is loaded first, so that no file is made if nothing can be locked.
    binding(path)
    if (opening.directory) return LockFile.#openDirectory(path)
    const made = (create ? O_CREAT : 0) | (onlyNew ? O_EXCL : 0)
    try {
      const fd = openSync(path, (readOnly ? O_RDONLY : O_RDWR) | made | careful, permissions)
      return LockFile.#adopt(path, fd, false)
    } catch (error) {
      const code = errno(error)
      if (code === 'EISDIR' || (code === 'ELOOP' && isDirectory(path))) {
        opening.directory = true
        return LockFile.#openDirectory(path)
      }
      if (!readOnly && (code === 'EACCES' || code === 'EROFS'))
        return LockFile.#openForReading(path, error)
      throw fileError(error, path, 'open the lock file')
    }
  }

  static #openForReading(path: string, refused: unknown): LockFile {
    try {
      const fd = openSync(path, O_RDONLY | careful)
      return LockFile.#adopt(path, fd, fstatSync(fd).isDirectory())
    } catch {
      throw fileError(refused, path, 'open the lock file')
    }
  }

  static #openDirectory(path: string): LockFile {
    try {
      const fd = openSync(realpathSync.native(path), O_RDONLY | O_DIRECTORY | careful)
      return LockFile.#adopt(path, fd, true)
    } catch (error) {
      throw fileError(error, path, 'open the directory')
    }
  }

  /**
   * Opens a file and tries to lock it in one call of the addon. The file stays unlocked if somebody has the lock or, if
   * `polite`, its gate. Gives `null` if the caller must do this step by step, because there is no addon or the call failed.
   */
  static take(
    { path, create, permissions = 0o666, directory }: Opening,
    mode: LockMode,
    polite: boolean,
  ): LockFile | null {
    const { native } = binding(path)
    if (native === null || directory) return null
    const fd = native.take(path, create ? permissions : -1, operationOf(mode), polite)
    if (fd <= blocked) return new LockFile(path, blocked - fd, false, native)
    if (fd < 0) return null
    const file = new LockFile(path, fd, false, native)
    file.mode = mode
    return file
  }

  get dev(): bigint {
    return fstatSync(this.fd, { bigint: true }).dev
  }

  get ino(): bigint {
    return fstatSync(this.fd, { bigint: true }).ino
  }

  /** Tries to lock or convert, without waiting. `false`: the file now holds **no lock**. */
  tryLock(mode: LockMode): boolean {
    const locked = tryFlock(this.fd, mode, this.path)
    this.mode = locked ? mode : null
    return locked
  }

  /** Whether the path still leads to this file, which may have been unlinked or replaced. */
  isCurrent(): boolean {
    const seen = this.#native?.isCurrent(this.fd, this.path)
    if (seen !== undefined && seen >= 0) return seen === 1
    const options = { bigint: true, throwIfNoEntry: false } as const
    try {
      const now = this.isDirectory ? statSync(this.path, options) : lstatSync(this.path, options)
      return now !== undefined && now.ino === this.ino && now.dev === this.dev
    } catch {
      return false
    }
  }

  /**
   * Unlocks and closes. Idempotent. With `keep`, the descriptor may stay open until {@link LockFile.tidy} is called, for the
   * next taker of the same file; give it only if nobody has a copy of the descriptor.
   */
  release(keep = false): void {
    this.#close(this.mode !== null, keep)
  }

  /** Closes the descriptor that {@link release} has kept open. */
  static tidy(): void {
    binding('').native?.tidy()
  }

  /** Closes without unlocking: a process with a copy of the descriptor keeps the lock. Idempotent. */
  close(): void {
    this.#close(false, false)
  }

  #close(unlocking: boolean, keep: boolean): void {
    if (!this.#open) return
    this.#open = false
    this.mode = null
    if (this.#native !== null) {
      this.#native.drop(this.fd, unlocking, keep)
      return
    }
    try {
      // Closing alone does not unlock if a child has a copy of the descriptor.
      if (unlocking) unlock(this.fd)
    } finally {
      closeSync(this.fd)
    }
  }
}

/** Whether the path leads to a directory, symbolic links resolved. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}
