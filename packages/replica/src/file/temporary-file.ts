import { randomBytes } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { syncFile } from '@howdah/durable'
import { io } from '../errors.ts'

const suffix = /\.[0-9a-f]{16}\.tmp$/

/** The final name of a temporary file; `null` if this is not a temporary file of ours. */
export function temporaryFor(name: string): string | null {
  return suffix.test(name) ? name.replace(suffix, '') : null
}

/**
 * A new file in the target's directory, with a temporary name.
 *
 * The caller publishes it by renaming or linking it. Disposing closes the file, and removes it if it still has its temporary
 * name.
 */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string
  readonly handle: FileHandle
  #closed = false

  /** Creates the empty file. Throws a {@link ReplicaError} if that is not possible. */
  static async create(target: string, mode: number): Promise<TemporaryFile> {
    const path = `${target}.${randomBytes(8).toString('hex')}.tmp`
    return new TemporaryFile(path, await io('create', path, () => open(path, 'wx+', mode)))
  }

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.handle = handle
  }

  /** Appends all of the data. */
  async append(data: Uint8Array): Promise<void> {
    await io('write', this.path, () => this.handle.appendFile(data))
  }

  /** Writes everything to the disk and closes the file. */
  async finish(): Promise<void> {
    await io('sync', this.path, () => syncFile(this.handle.fd))
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await rm(this.path, { force: true })
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await io('close', this.path, () => this.handle.close())
  }
}
