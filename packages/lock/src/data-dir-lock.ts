import { ftruncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { readPlainFile } from '@howdah/durable'
import { tryOnce } from './waiting/contend.ts'
import { LockError, dataDirHeld, fileError, notStale, type LockHolder } from './errors.ts'
import { requireFlock } from './binding/platform.ts'
import { LockFile } from './lock-file.ts'
import { Lock } from './lock.ts'
import { makeDirectories } from './make-directories.ts'
import { PidFile } from './process/pid-file.ts'
import {
  currentProcess,
  liveness,
  parseIdentity,
  type ProcessIdentity,
} from './process/process-identity.ts'
import { absolute, request } from './waiting/request.ts'

/** The names of the files of a data-directory lock. */
export interface DataDirLockNames {
  /**
   * The base name: the files are `.<name>.lock`, `.<name>.pidfile` and, for an instant, `.<name>.pidfile.tmp`;
   * `'howdah'` by default. `'handoff'` gives the file names of Rust's handoff crate, so that this package and the crate
   * exclude each other.
   */
  name?: string | undefined
}

/** Options of {@link DataDirLock.acquire}. */
export interface DataDirLockOptions extends DataDirLockNames {
  /** Sync the pidfile to the disk, which costs milliseconds; `true` by default. */
  durable?: boolean | undefined
}

/** Options of {@link DataDirLock.acquireOrBreakStale}. */
export interface BreakStaleOptions extends DataDirLockOptions {
  /**
   * Called with the dead holder that the pidfile names, before the second try. If it throws, the acquisition rejects with
   * that error.
   */
  onStale?: ((holder: LockHolder) => void) | undefined
}

interface Paths {
  readonly dataDir: string
  readonly lock: string
  readonly pidFile: string
}

/**
 * The right to be the only writer of a data directory: an exclusive flock(2) on a file in the directory, and a pidfile beside
 * it.
 *
 * Only the flock decides; it ends with the process that holds it. The pidfile and the holder's identity in the lock file only
 * serve messages. The lock file is never removed, because two processes could then each lock a file of that name.
 *
 * @example
 * using lock = await DataDirLock.acquire('data')
 */
export class DataDirLock implements Disposable, AsyncDisposable {
  /** The absolute path of the data directory. */
  readonly dataDir: string
  /** The absolute path of the lock file. */
  readonly path: string
  readonly #lock: Lock
  readonly #pidFile: PidFile

  private constructor(paths: Paths, lock: Lock, pidFile: PidFile) {
    this.dataDir = paths.dataDir
    this.path = paths.lock
    this.#lock = lock
    this.#pidFile = pidFile
  }

  /**
   * Tries once to take the lock, and writes the pidfile. Makes the directory if it is missing.
   *
   * Rejects with `ERR_LOCK_HELD` if another process has the lock; the error has the pid from the pidfile, or 0. Rejects with
   * another `LockError` if a file cannot be opened or written; the lock is not held then.
   */
  static async acquire(dataDir: string, options: DataDirLockOptions = {}): Promise<DataDirLock> {
    const paths = place(dataDir, options)
    makeDirectory(paths.dataDir)
    const file = tryOnce(request(paths.lock, ours))
    if (file === null) throw dataDirHeld(paths.lock, paths.dataDir, holderOf(paths))
    return DataDirLock.#take(paths, file, options)
  }

  /**
   * Like {@link DataDirLock.acquire}, but tries once more, on the same file, if the holder that the pidfile names is dead.
   *
   * Rejects with `ERR_LOCK_STALE_BREAK_REFUSED` if the named holder lives or may live, or if another process still has the
   * lock, such as a child of the named holder.
   */
  static async acquireOrBreakStale(
    dataDir: string,
    options: BreakStaleOptions = {},
  ): Promise<DataDirLock> {
    const paths = place(dataDir, options)
    makeDirectory(paths.dataDir)
    let file = LockFile.open(request(paths.lock, ours))
    try {
      while (file.tryLock('exclusive')) {
        if (file.isCurrent()) return await DataDirLock.#take(paths, file, options)
        file.release()
        file = LockFile.open(request(paths.lock, ours))
      }
      const holder = holderOf(paths)
      const refusal = refuse(holder)
      if (refusal !== null) throw notStale(paths.lock, paths.dataDir, holder, refusal)
      options.onStale?.(holder)
      if (!file.tryLock('exclusive') || !file.isCurrent()) {
        const why = 'the process that its pidfile names is gone, but another one has the lock'
        throw notStale(paths.lock, paths.dataDir, holder, why)
      }
    } catch (error) {
      file.release()
      throw error
    }
    return DataDirLock.#take(paths, file, options)
  }

  /**
   * The holder according to the files; `null` if they name none. Nothing is locked or made. The files may be wrong both ways:
   * the lock may be free although they name a holder, and held although they name none.
   */
  static namedHolder(dataDir: string, options: DataDirLockNames = {}): LockHolder | null {
    const holder = holderOf(place(dataDir, options))
    return holder.pid === 0 ? null : holder
  }

  /** Whether the lock is held. */
  get held(): boolean {
    return this.#lock.held
  }

  /**
   * Removes the pidfile if it is still ours, then releases the lock. In this order no successor's pidfile is removed.
   * Idempotent.
   */
  release(): void {
    if (!this.#lock.held) return
    try {
      this.#pidFile.remove()
      ftruncateSync(this.#lock.fd)
    } catch {
      // The files are only hints. It matters only that the lock is released.
    } finally {
      this.#lock.release()
    }
  }

  /** Releases. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Releases. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }

  static async #take(
    paths: Paths,
    file: LockFile,
    { durable }: DataDirLockOptions,
  ): Promise<DataDirLock> {
    const lock = new Lock(file, false)
    try {
      writeIdentity(file)
      const pidFile = await PidFile.write(paths.pidFile, {
        durable,
        temporary: `${paths.pidFile}.tmp`,
      })
      return new DataDirLock(paths, lock, pidFile)
    } catch (error) {
      lock.release()
      throw error
    }
  }
}

/** A user who can open the lock file can hold the lock, so no other user may open it. */
const ours = { permissions: 0o600 } as const

function place(dataDir: string, { name = 'howdah' }: DataDirLockNames): Paths {
  const directory = absolute(dataDir)
  if (!/^[^/\0]+$/.test(name)) {
    throw new LockError(
      'ERR_LOCK_OPTION',
      directory,
      `the base name of a data-directory lock is a part of a file name, not ${JSON.stringify(name)}`,
    )
  }
  return {
    dataDir: directory,
    lock: join(directory, `.${name}.lock`),
    pidFile: join(directory, `.${name}.pidfile`),
  }
}

function makeDirectory(path: string): void {
  requireFlock(path)
  try {
    makeDirectories(path)
  } catch (error) {
    throw fileError(error, path, 'make the data directory')
  }
}

/** Why a lock must not be broken; `null` if the named holder is dead or there is none. */
function refuse({ pid, liveness: state }: LockHolder): string | null {
  if (pid === 0 || state === 'dead') return null
  if (state === 'alive') return `process ${pid} lives`
  return `process ${pid} is in another pid namespace or on another machine, and may live`
}

/** Writes the holder's identity into the lock file, so that a process that reuses the pid is not taken for the holder. */
function writeIdentity(file: LockFile): void {
  try {
    ftruncateSync(file.fd)
    writeSync(file.fd, `${JSON.stringify(currentProcess())}\n`, 0)
  } catch (error) {
    throw fileError(error, file.path, 'write')
  }
}

function readIdentity(path: string): ProcessIdentity | null {
  try {
    return parseIdentity(readPlainFile(path, { limit: 1024 }))
  } catch {
    return null
  }
}

/** The process that the pidfile names, and whether it lives. */
function holderOf(paths: Paths): LockHolder {
  const pid = namedPid(paths.pidFile)
  if (pid === null) return { pid: 0, liveness: 'unknown' }
  const identity = readIdentity(paths.lock)
  const known =
    identity?.pid === pid ? identity : { pid, startTime: null, bootId: null, pidNamespace: null }
  return { pid, liveness: liveness(known) }
}

function namedPid(path: string): number | null {
  try {
    return PidFile.read(path)
  } catch {
    return null
  }
}
