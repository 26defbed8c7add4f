import { linkSync } from 'node:fs'
import { errno, publishFile, readPlainFile } from '@howdah/durable'
import { removeFile } from './entry/entry-file.ts'
import { ioError, type Failure } from './errors.ts'
import { isStamped, stamp } from './entry/stamp.ts'

/** The size of the longest document, in bytes. */
const maximum = 64 * 1024 * 1024

/** The files of a document. Every call except reading needs the document's lock. */
export class DocumentFile {
  readonly path: string
  readonly #durable: boolean

  constructor(path: string, durable: boolean) {
    this.path = path
    this.#durable = durable
  }

  /** The lock file lies beside the document, because each change replaces the document by another file. */
  get lockPath(): string {
    return `${this.path}.lock`
  }

  get #goodPath(): string {
    return `${this.path}.good`
  }

  /** The text of the document; `null` if there is no file. Throws `ERR_STORE_IO`. */
  read(failure: Failure): string | null {
    return readText(this.path, failure)
  }

  /** The text of the last good version; `null` if there is none. Throws `ERR_STORE_IO`. */
  readGood(failure: Failure): string | null {
    return readText(this.#goodPath, failure)
  }

  /**
   * Replaces the document and the last good version, each as a whole. Rejects with `ERR_STORE_IO`.
   *
   * The good version appears first, so that it has every published change, even if this process is killed between the two. It
   * appears only after the document's temporary file is written, so a full disk changes neither. It is not synced: if a power
   * failure damages it, the document is still there. `lock` is the descriptor of the document's lock file.
   */
  async publish(text: string, lock: number, failure: Failure): Promise<void> {
    const durable = this.#durable
    const content = Buffer.from(text)
    try {
      const keepExtended = !isStamped(lock, this.path)
      await publishFile(this.path, content, {
        mode: 0o600,
        durable,
        keepExtended,
        check: () => publishFile(this.#goodPath, content, { mode: 0o600, durable: false }),
      })
      if (!keepExtended) stamp(lock, this.path)
    } catch (error) {
      throw ioError(error, failure)
    }
  }

  /**
   * Keeps a damaged document under a second name, and returns that path. The document's own path stays, because a missing
   * file would count as an empty document.
   */
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
