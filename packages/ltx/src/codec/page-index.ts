import type { ByteReader } from './byte-reader.ts'
import { Crc64 } from '../checksum/crc64.ts'
import { LtxError } from '../errors.ts'
import { uvarintBound, writeUvarint } from './uvarint.ts'

const entryBound = 3 * uvarintBound
const pieceSize = 16_384

/** Where a page lies in an LTX file. */
export interface PageLocation {
  /** The page's number in the database. */
  readonly number: number
  /** Where its frame starts in the file, in bytes. */
  readonly offset: number
  /** The size of its frame with the header, in bytes. */
  readonly size: number
}

/** Builds the page index of a file, which takes a few bytes per page. */
export class PageIndexBuilder {
  #bytes = Buffer.alloc(1024)
  #length = 0

  add({ number, offset, size }: PageLocation): void {
    if (this.#length + entryBound > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)])
    }
    this.#length = writeEntry(this.#bytes, number, offset, size, this.#length)
  }

  /** The index with its end and its size field. */
  finish(): Buffer {
    const end = Buffer.alloc(9)
    end.writeBigUInt64BE(BigInt(this.#length + 1), 1)
    return Buffer.concat([this.#bytes.subarray(0, this.#length), end])
  }
}

/**
 * Checks the page index of a file against the pages that were read. It keeps only the length and the CRC of the expected
 * index.
 *
 * The order and form of the entries follow from the pages, so length and CRC are enough to check an index, and the memory
 * does not grow with the file.
 */
export class PageIndexCheck {
  readonly #expected = new Crc64()
  readonly #piece = Buffer.allocUnsafe(1024)
  #pending = 0
  #length = 0

  add({ number, offset, size }: PageLocation): void {
    if (this.#pending + entryBound > this.#piece.length) this.#flush()
    this.#pending = writeEntry(this.#piece, number, offset, size, this.#pending)
  }

  /** Reads the index with its end and its size field. Throws `ERR_LTX_INDEX` if it does not match the pages. */
  async read(reader: ByteReader, checksum: Crc64): Promise<void> {
    this.#piece[this.#pending++] = 0
    this.#flush()
    const { offset } = reader
    const actual = new Crc64()
    for (let left = this.#length; left > 0;) {
      const length = Math.min(left, pieceSize)
      await reader.fill(length)
      const piece = reader.take(length)
      actual.update(piece)
      checksum.update(piece)
      left -= length
    }
    if (actual.value !== this.#expected.value) {
      throw new LtxError('ERR_LTX_INDEX', 'the page index is not that of the pages', { offset })
    }
    await reader.fill(8)
    const size = reader.peek(8).readBigUInt64BE()
    if (size !== BigInt(this.#length)) {
      throw new LtxError(
        'ERR_LTX_INDEX',
        `the page index says that it has ${size} bytes, and has ${this.#length}`,
        { offset: reader.offset },
      )
    }
    checksum.update(reader.take(8))
  }

  #flush(): void {
    this.#expected.update(this.#piece.subarray(0, this.#pending))
    this.#length += this.#pending
    this.#pending = 0
  }
}

function writeEntry(to: Buffer, number: number, offset: number, size: number, at: number): number {
  return writeUvarint(to, size, writeUvarint(to, offset, writeUvarint(to, number, at)))
}
