import { writevSync } from 'node:fs'
import { io } from '../errors.ts'
import type { TemporaryFile } from '../file/temporary-file.ts'

const batchSize = 1_048_576
const mostInFlight = 16
/** Up to so many bytes are written at once, in microseconds; libuv's pool would take several times as long. */
const smallBatch = 16_384

interface Batch {
  readonly start: number
  readonly pages: Uint8Array[]
  size: number
}

/**
 * Writes pages to a database file.
 *
 * It writes adjacent pages together, and several batches at the same time. It keeps at most sixteen batches of a megabyte in
 * memory. A later write to the same place wins.
 */
export class DatabaseWriter {
  readonly #file: TemporaryFile
  readonly #inFlight = new Map<Batch, Promise<void>>()
  #batch: Batch = { start: 0, pages: [], size: 0 }
  #written = 0
  #failure: { readonly error: unknown } | null = null

  constructor(file: TemporaryFile) {
    this.#file = file
  }

  /** The number of bytes that were written. */
  get bytesWritten(): number {
    return this.#written
  }

  /**
   * Queues data to be written at an offset in bytes. An error may be thrown by a later call. The caller must not change the
   * data.
   */
  async write(data: Uint8Array, offset: number): Promise<void> {
    const { start, size } = this.#batch
    if (offset !== start + size || size >= batchSize) {
      if (size > 0) await this.#send()
      this.#batch = { start: offset, pages: [], size: 0 }
    }
    this.#batch.pages.push(data)
    this.#batch.size += data.length
  }

  /** Waits until everything is written. */
  async flush(): Promise<void> {
    if (this.#batch.size > 0) await this.#send()
    this.#batch = { start: 0, pages: [], size: 0 }
    await Promise.all(this.#inFlight.values())
    this.#check()
  }

  /** Waits until everything is written, and gives the file its size in bytes. */
  async truncate(size: number): Promise<void> {
    await this.flush()
    const { handle, path } = this.#file
    await io('truncate', path, () => handle.truncate(size))
  }

  /** Starts to write the batch as soon as there is room for it and the batches that it overwrites are written. */
  async #send(): Promise<void> {
    const batch = this.#batch
    const overlapping = [...this.#inFlight].filter(
      ([other]) => other.start < batch.start + batch.size && batch.start < other.start + other.size,
    )
    await Promise.all(overlapping.map(([, writing]) => writing))
    if (this.#inFlight.size >= mostInFlight) await Promise.race(this.#inFlight.values())
    this.#check()
    const writing = this.#store(batch)
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#inFlight.delete(batch))
    this.#inFlight.set(batch, writing)
  }

  async #store(batch: Batch): Promise<void> {
    const { handle, path } = this.#file
    let { pages, start } = batch
    while (pages.length > 0) {
      const written = await io('write', path, async () =>
        batch.size <= smallBatch
          ? writevSync(handle.fd, pages, start)
          : (await handle.writev(pages, start)).bytesWritten,
      )
      start += written
      pages = after(pages, written)
    }
    this.#written += batch.size
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}

/** The rest of the buffers after some bytes were written. */
function after(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  return buffers.flatMap((buffer) => {
    const rest = buffer.subarray(Math.min(skip, buffer.length))
    skip -= buffer.length - rest.length
    return rest.length === 0 ? [] : [rest]
  })
}
