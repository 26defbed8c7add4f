import { linkSync } from 'node:fs'
import { errno, publishFile, readPlainFile } from '@howdah/durable'
import { removeFile } from './entry/entry-file.ts'
import { ioError, type Failure } from './errors.ts'
import { isStamped, stamp } from './entry/stamp.ts'

/** In bytes: the longest document. */
const maximum = 64 * 1024 * 1024

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

  /** The text; `null` if there is no file. Throws `ERR_STORE_IO`. */
  read(failure: Failure): string | null {
    return readText(this.path, failure)
  }

  /** The last good version; `null` if there is none. Throws `ERR_STORE_IO`. */
  readGood(failure: Failure): string | null {
    return readText(this.#goodPath, failure)
  }

  /**
   * Replaces document and last good version, each whole. Rejects with `ERR_STORE_IO`.
   *
   * The good version appears first: whatever was published is in it, also when this process is killed between the two. It
   * appears only when the document is written, so that a full disk changes neither. It is not synced, since what a power
   * failure takes from it the document still has. `lock` is the descriptor of its lock file.
   */
  async publish(text: string, lock: number, failure: Failure): Promise<void> {
    const durable = this.#durable
    try {
      const keepExtended = !isStamped(lock, this.path)
      await publishFile(this.path, text, {
        mode: 0o600,
        durable,
        keepExtended,
        check: () => publishFile(this.#goodPath, text, { mode: 0o600, durable: false }),
      })
      if (!keepExtended) stamp(lock, this.path)
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

function readText(path: string, failure: Failure): string | null {
  try {
    return readPlainFile(path, { limit: maximum, follow: false })
  } catch (error) {
    if (errno(error) === 'ENOENT') return null
    throw ioError(error, failure)
  }
}
