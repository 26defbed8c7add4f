import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { syncDirectory, temporaryName } from '@howdah/durable'

/** The output of a dump: a file, which appears completely at the end, or a stream, which is ended. */
interface Output {
  readonly to: string | Writable
  /** Called with the number of bytes that have been written. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** Receives the output, chunk by chunk. */
export class Sink {
  bytes = 0
  /** The absolute path; `null` for a stream. */
  readonly path: string | null
  readonly #temporary: string | null
  readonly #stream: Writable
  readonly #onProgress: Output['onProgress']

  constructor({ to, onProgress }: Output) {
    this.path = typeof to === 'string' ? resolve(to) : null
    this.#temporary = this.path === null ? null : temporaryName(this.path)
    this.#stream =
      typeof to === 'string'
        ? createWriteStream(this.#temporary ?? to, { flags: 'wx', flush: true })
        : to
    this.#onProgress = onProgress
  }

  async fill(write: (sink: Sink) => Promise<void>): Promise<void> {
    // The promise is awaited below. Without this handler, a stream that fails meanwhile would end the process.
    const end = finished(this.#stream)
    end.catch(() => undefined)
    try {
      await write(this)
      this.#stream.end()
      await end
      if (this.path === null || this.#temporary === null) return
      await rename(this.#temporary, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      this.#stream.destroy()
      if (this.#temporary !== null) await rm(this.#temporary, { force: true })
      throw error
    }
  }

  /** Resolves when the next chunk may come. */
  async take(chunk: Uint8Array): Promise<void> {
    await new Promise<void>((settle, fail) => {
      this.#stream.write(chunk, (error) => (error ? fail(error) : settle()))
    })
    this.bytes += chunk.byteLength
    this.#onProgress?.(this.bytes)
  }
}
