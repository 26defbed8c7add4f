import {
  closeSync,
  constants,
  fchmodSync,
  fsync,
  linkSync,
  openSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { readPlainFile } from '@howdah/lock'
import { removeFile } from './entry-file.ts'
import { errno } from './errno.ts'
import { ioError, type Failure } from './errors.ts'
import { syncDirectory } from './sync-directory.ts'

/** In bytes: the longest document. */
const maximum = 64 * 1024 * 1024
const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants
const syncDescriptor = promisify(fsync)

/** The files of a document. All but reading is done under its lock. */
export class DocumentFile {
  readonly path: string
  readonly #durable: boolean

  constructor(path: string, durable: boolean) {
    this.path = path
    this.#durable = durable
  }

  /** Beside the document, since that is another file after each change. */
  get lockPath(): string {
    return `${this.path}.lock`
  }

  get #goodPath(): string {
    return `${this.path}.good`
  }

  /** The text; `null` where there is no file. Throws `ERR_STORE_IO`. */
  read(failure: Failure): string | null {
    return readText(this.path, failure)
  }

  /** The last good version; `null` where there is none. Throws `ERR_STORE_IO`. */
  readGood(failure: Failure): string | null {
    return readText(this.#goodPath, failure)
  }

  /**
   * Replaces document and last good version, each whole. Rejects with `ERR_STORE_IO`.
   *
   * The good version first: whatever was published is in it, also when this process is killed between the two. It is not
   * synced, since what a power failure takes from it the document still has.
   */
  async publish(text: string, failure: Failure): Promise<void> {
    try {
      await replace(this.#goodPath, text, false)
      await replace(this.path, text, this.#durable)
      if (this.#durable) await syncDirectory(dirname(this.path))
    } catch (error) {
      throw ioError(error, failure)
    }
  }

  /** Keeps a copy of a damaged document, and returns its path. The document stays: without it, it would be empty. */
  keepDamaged(failure: Failure): string {
    const kept = `${this.path}.damaged`
    try {
      removeFile(kept)
      linkSync(this.path, kept)
      return kept
    } catch (error) {
      throw ioError(error, failure)
    }
  }
}

async function replace(path: string, text: string, durable: boolean): Promise<void> {
  const temporary = `${path}.tmp`
  // Only who has the lock writes it, so that what is there was left by a killed process.
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    fchmodSync(fd, 0o600)
    writeFileSync(fd, text)
    if (durable) await syncDescriptor(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
}

function readText(path: string, failure: Failure): string | null {
  try {
    return readPlainFile(path, { limit: maximum })
  } catch (error) {
    if (errno(error) === 'ENOENT') return null
    throw ioError(error, failure)
  }
}
