import { io } from './errors.ts'
import type { TemporaryFile } from './temporary-file.ts'

const batchSize = 1_048_576

/** Writes pages to a database file, those that adjoin together, and the whole no more than a megabyte late. */
export class DatabaseWriter {
  readonly #file: TemporaryFile
  #pages: Uint8Array[] = []
  #size = 0
  #start = 0
  #written = 0

  constructor(file: TemporaryFile) {
    this.#file = file
  }

  /** How much was written, in bytes. */
  get bytesWritten(): number {
    return this.#written
  }

  /** Writes data at an offset in bytes. Whether that reached the file shows in `bytesWritten`. */
  async write(data: Uint8Array, offset: number): Promise<void> {
    if (offset !== this.#start + this.#size || this.#size >= batchSize) await this.flush()
    if (this.#size === 0) this.#start = offset
    this.#pages.push(data)
    this.#size += data.length
  }

  /** Writes what is pending. */
  async flush(): Promise<void> {
    if (this.#size === 0) return
    const { handle, path } = this.#file
    let pending = this.#pages
    let position = this.#start
    this.#pages = []
    this.#written += this.#size
    this.#size = 0
    while (pending.length > 0) {
      const { bytesWritten } = await io('write', path, () => handle.writev(pending, position))
      position += bytesWritten
      pending = after(pending, bytesWritten)
    }
  }

  /** Writes what is pending, and gives the file its size in bytes. */
  async truncate(size: number): Promise<void> {
    await this.flush()
    const { handle, path } = this.#file
    await io('truncate', path, () => handle.truncate(size))
  }
}

/** What is left of buffers after some bytes of them are written. */
function after(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  return buffers.flatMap((buffer) => {
    const rest = buffer.subarray(Math.min(skip, buffer.length))
    skip -= buffer.length - rest.length
    return rest.length === 0 ? [] : [rest]
  })
}
