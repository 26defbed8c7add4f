import { rmSync, unlinkSync } from 'node:fs'
import { errno, publishFile, readPlainFile } from '@howdah/durable'
import { fileError } from '../errors.ts'
import { liveness, type Liveness, type ProcessIdentity } from './process-identity.ts'
import { absolute } from '../waiting/request.ts'

/** Options of {@link PidFile.write}. */
export interface PidFileOptions {
  /** Sync it to the disk, which costs milliseconds; `true` unless told otherwise. */
  durable?: boolean | undefined
  /** Where it is written before it is renamed; a name that nobody else uses unless told otherwise. */
  temporary?: string | undefined
}

/**
 * A file that holds the pid of this process, and nothing else: not even a newline, since others parse the whole file.
 *
 * It is a hint for people and messages. Only a lock excludes.
 */
export class PidFile implements Disposable {
  /** The absolute path. */
  readonly path: string
  /** The pid that was written. */
  readonly pid: number

  private constructor(path: string, pid: number) {
    this.path = path
    this.pid = pid
  }

  /**
   * Writes this process's pid, so that readers see the whole file or none; replaces what was there.
   *
   * Rejects with a `LockError` that names the path.
   */
  static async write(path: string, options: PidFileOptions = {}): Promise<PidFile> {
    const file = absolute(path)
    const { durable = true, temporary } = options
    try {
      if (temporary !== undefined) rmSync(temporary, { force: true })
      await publishFile(file, String(process.pid), { durable, temporary })
    } catch (error) {
      throw fileError(error, file, 'write')
    }
    return new PidFile(file, process.pid)
  }

  /**
   * The pid in a file; `null` if there is no file, or it holds anything but one positive integer.
   *
   * Throws a `LockError` if the file cannot be read.
   */
  static read(path: string): number | null {
    const file = absolute(path)
    const digits = /^\s*(\d{1,10})\s*$/.exec(contentOf(file))?.[1]
    const pid = Number(digits ?? 0)
    return pid > 0 && pid < 2 ** 31 ? pid : null
  }

  /**
   * Whether the process that a pidfile names lives; a file that names none counts as dead.
   *
   * A bare pid may have been given to another process since. If more is known of the one that wrote the file, such as
   * from a lock file, pass it: it is used if its pid is the one in the file.
   */
  static liveness(path: string, identity?: ProcessIdentity): Liveness {
    const pid = PidFile.read(path)
    if (pid === null) return 'dead'
    if (identity?.pid === pid) return liveness(identity)
    return liveness({ pid, startTime: null, bootId: null, pidNamespace: null })
  }

  /**
   * Removes the file if it still names this process. Returns whether it did; idempotent. Throws a `LockError` if
   * it may not be removed.
   */
  remove(): boolean {
    if (PidFile.read(this.path) !== this.pid) return false
    try {
      unlinkSync(this.path)
      return true
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      throw fileError(error, this.path, 'remove')
    }
  }

  /** Removes it if it is ours. */
  [Symbol.dispose](): void {
    this.remove()
  }
}

/** Nothing, if there is no file that could be a pidfile. */
function contentOf(path: string): string {
  try {
    return readPlainFile(path, { limit: 64 })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ERR_DURABLE_NOT_PLAIN'].includes(errno(error))) return ''
    throw fileError(error, path, 'read')
  }
}
