import type { ByteReader } from './codec/byte-reader.ts'
import { LtxError } from './errors.ts'
import { headerSize, type LtxHeader } from './codec/header.ts'
import { pageFrameBound } from './codec/page-frame.ts'
import type { PageLocation } from './codec/page-index.ts'
import { PageOrder } from './page-order.ts'
import { pageHeaderSize } from './page.ts'
import { readUvarint, uvarintBound } from './codec/uvarint.ts'

const smallestFrame = pageHeaderSize + 5

/**
 * The stored page index of a file: the place of each page.
 *
 * It takes about 16 bytes of memory per page, and no index can claim more pages than its file has room for.
 */
export class StoredIndex {
  readonly #numbers: number[] = []
  readonly #offsets: number[] = []
  /** The end of the last page's frame, in bytes from the file's start. */
  #end = headerSize

  /**
   * Reads the index entries and the byte that ends them, `length` bytes, and checks them.
   *
   * Throws `ERR_LTX_INDEX` unless the named pages fill the file from the header to the index without gaps, in the order of
   * the format.
   */
  static async read(reader: ByteReader, length: number, header: LtxHeader): Promise<StoredIndex> {
    const index = new StoredIndex()
    const order = new PageOrder(header)
    const start = reader.offset
    const largestFrame = pageFrameBound(header.pageSize)
    for (;;) {
      const left = start + length - reader.offset
      if (left < 1) throw invalid('it does not end where it should', reader.offset)
      await reader.fill(Math.min(left, 3 * uvarintBound))
      const entry = readEntry(reader.peek(Math.min(left, 3 * uvarintBound)))
      if (entry === null) throw invalid('an entry is malformed', reader.offset)
      if (entry === 'end') break
      const [number, offset, size, bytes] = entry
      try {
        order.next(number)
      } catch (cause) {
        throw invalid('its pages are out of order', reader.offset, cause)
      }
      if (offset !== index.#end) throw invalid('its pages do not adjoin', reader.offset)
      if (size < smallestFrame || size > largestFrame || offset + size > start - pageHeaderSize) {
        throw invalid(`page ${number} cannot have ${size} bytes`, reader.offset)
      }
      index.#numbers.push(number)
      index.#offsets.push(offset)
      index.#end = offset + size
      reader.take(bytes)
    }
    reader.take(1)
    if (reader.offset !== start + length) throw invalid('it ends too early', reader.offset)
    if (index.#end + pageHeaderSize !== start) {
      throw invalid('its pages do not fill the file', start)
    }
    try {
      order.end()
    } catch (cause) {
      throw invalid('pages are missing', start, cause)
    }
    return index
  }

  /** How many pages there are. */
  get size(): number {
    return this.#numbers.length
  }

  /** The place of a page; `null` if the file does not have the page. */
  find(number: number): PageLocation | null {
    let low = 0
    let high = this.#numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return this.#numbers[low] === number ? this.#at(low) : null
  }

  /** The places of all pages, by ascending page number. */
  *[Symbol.iterator](): IterableIterator<PageLocation> {
    for (let place = 0; place < this.#numbers.length; place++) yield this.#at(place)
  }

  #at(place: number): PageLocation {
    const number = this.#numbers[place] as number
    const offset = this.#offsets[place] as number
    return { number, offset, size: (this.#offsets[place + 1] ?? this.#end) - offset }
  }
}

type Entry = [number: number, offset: number, size: number, bytes: number]

function readEntry(bytes: Buffer): Entry | 'end' | null {
  if (bytes[0] === 0) return 'end'
  const number = readUvarint(bytes, 0)
  const offset = number && readUvarint(bytes, number[1])
  const size = offset && readUvarint(bytes, offset[1])
  return size && [number[0], offset[0], size[0], size[1]]
}

function invalid(why: string, offset: number, cause?: unknown): LtxError {
  return new LtxError('ERR_LTX_INDEX', `the page index is damaged: ${why}`, {
    offset,
    cause,
  })
}
