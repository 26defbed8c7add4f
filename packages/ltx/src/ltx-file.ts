import { open, type FileHandle } from 'node:fs/promises'
import { ByteReader } from './codec/byte-reader.ts'
import { LtxError } from './errors.ts'
import { decodeHeader, headerSize, type LtxHeader } from './codec/header.ts'
import { readPageFrame } from './codec/page-frame.ts'
import type { PageLocation } from './codec/page-index.ts'
import { pageHeaderSize } from './page.ts'
import { StoredIndex } from './stored-index.ts'
import { decodeTrailer, trailerSize, type LtxTrailer } from './codec/trailer.ts'

const tailSize = 8 + trailerSize
const smallestFile = headerSize + pageHeaderSize + 1 + tailSize
const pieceSize = 65_536

/**
 * An LTX file on disk. Its pages can be read one by one, in any order, by the page index.
 *
 * The header, the index and the trailer are checked when the file is opened. Each page is checked when it is read. The file
 * checksum is not verified, because that needs the whole file; use {@link verifyLtx} or {@link LtxDecoder} for that.
 *
 * @example
 * await using file = await LtxFile.open(path)
 * const data = await file.page(7)
 */
export class LtxFile implements AsyncDisposable {
  readonly header: LtxHeader
  readonly trailer: LtxTrailer
  readonly #handle: FileHandle
  readonly #index: StoredIndex
  readonly #owned: boolean
  #closed = false

  /**
   * Opens a file, by its path or by a handle, which the caller closes.
   *
   * Throws an {@link LtxError}: `ERR_LTX_IO` if it cannot be read, or another code if it is invalid.
   */
  static async open(file: string | FileHandle): Promise<LtxFile> {
    const owned = typeof file === 'string'
    const handle = owned ? await io(`open ${file}`, () => open(file, 'r')) : file
    try {
      const { size } = await io('stat the file', () => handle.stat())
      if (size < smallestFile) {
        throw new LtxError('ERR_LTX_TRUNCATED', `${size} bytes are no LTX file`, { offset: size })
      }
      const header = decodeHeader(await readRange(handle, 0, headerSize))
      const tail = await readRange(handle, size - tailSize, tailSize)
      const trailer = decodeTrailer(tail.subarray(8), header, size - trailerSize)
      const length = tail.readBigUInt64BE(0)
      if (length < 1n || length > BigInt(size - smallestFile + 1)) {
        throw new LtxError('ERR_LTX_INDEX', `the page index cannot have ${length} bytes`, {
          offset: size - tailSize,
        })
      }
      const start = size - tailSize - Number(length)
      const reader = new ByteReader(pieces(handle, start, Number(length)), start)
      const index = await StoredIndex.read(reader, Number(length), header)
      return new LtxFile(handle, owned, header, trailer, index)
    } catch (error) {
      if (owned) await handle.close()
      throw error
    }
  }

  private constructor(
    handle: FileHandle,
    owned: boolean,
    header: LtxHeader,
    trailer: LtxTrailer,
    index: StoredIndex,
  ) {
    this.#handle = handle
    this.#owned = owned
    this.header = header
    this.trailer = trailer
    this.#index = index
  }

  /** How many pages the file holds. */
  get pageCount(): number {
    return this.#index.size
  }

  /** The places of the pages in the file, by ascending page number. */
  locations(): Iterable<PageLocation> {
    return this.#index
  }

  /** The place of a page in the file; `null` if the file does not have the page. */
  location(number: number): PageLocation | null {
    return this.#index.find(number)
  }

  /** A page's data; `null` if the file does not have the page. Throws if the page is damaged. */
  async page(number: number): Promise<Buffer | null> {
    const location = this.#index.find(number)
    if (location === null) return null
    const { offset, size } = location
    const reader = new ByteReader(await readRange(this.#handle, offset, size), offset)
    const page = await readPageFrame(reader, this.header.pageSize, (found) => {
      if (found !== number) throw misplaced(number, offset)
    })
    if (page?.size !== size) throw misplaced(number, offset)
    return page.data
  }

  /** Closes the file, unless it was opened by a handle. */
  async close(): Promise<void> {
    if (this.#closed || !this.#owned) return
    this.#closed = true
    await this.#handle.close()
  }

  /** Closes, as {@link close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function* pieces(handle: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; done += pieceSize) {
    yield await readRange(handle, start + done, Math.min(pieceSize, length - done))
  }
}

async function readRange(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await io('read the file', () =>
      handle.read(bytes, done, length - done, offset + done),
    )
    if (bytesRead === 0) {
      throw new LtxError('ERR_LTX_TRUNCATED', 'the file became shorter while it was read', {
        offset: offset + done,
      })
    }
    done += bytesRead
  }
  return bytes
}

async function io<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LtxError('ERR_LTX_IO', `cannot ${doing}: ${why}`, { cause })
  }
}

function misplaced(number: number, offset: number): LtxError {
  return new LtxError('ERR_LTX_INDEX', `page ${number} is not where the index says`, { offset })
}
