import { rmSync, unlinkSync } from 'node:fs'
import { errno, publishFile, readPlainFile } from '@howdah/durable'
import { fileError } from '../errors.ts'
import { liveness, type Liveness, type ProcessIdentity } from './process-identity.ts'
import { absolute } from '../waiting/request.ts'

/** Options of {@link PidFile.write}. */
export interface PidFileOptions {
  /** Sync the file to the disk, which costs milliseconds; `true` by default. */
  durable?: boolean | undefined
  /** The path of the temporary file that is renamed to the pidfile; by default a name that nobody else uses. */
  temporary?: string | undefined
}

/**
 * A file that contains the pid of this process and nothing else, not even a newline, because other programs parse the whole
 * file.
 *
 * It is a hint for people and messages. It does not exclude other processes; only a lock does.
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
   * Writes this process's pid. Readers see the whole file or none. An old file is replaced.
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
   * The pid in a file; `null` if there is no file, or if it contains anything but one positive integer.
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
   * Whether the process that a pidfile names lives. If the file names none, the answer is `'dead'`.
   *
   * The pid may have been given to another process since. If you know the identity of the process that wrote the file, for
   * example from a lock file, pass it. It is used if its pid is the pid in the file.
   */
  static liveness(path: string, identity?: ProcessIdentity): Liveness {
    const pid = PidFile.read(path)
    if (pid === null) return 'dead'
    if (identity?.pid === pid) return liveness(identity)
    return liveness({ pid, startTime: null, bootId: null, pidNamespace: null })
  }

  /**
   * Removes the file if it still names this process, and returns whether it was removed. Idempotent. Throws a `LockError` if
   * the file cannot be removed.
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

  /** Removes the file if it is ours. */
  [Symbol.dispose](): void {
    this.remove()
  }
}

/** The content of a pidfile; empty if there is no regular, small file. */
function contentOf(path: string): string {
  try {
    return readPlainFile(path, { limit: 64 })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ERR_DURABLE_NOT_PLAIN'].includes(errno(error))) return ''
    throw fileError(error, path, 'read')
  }
}
