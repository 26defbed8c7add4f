import { ByteReader, type ByteSource } from './codec/byte-reader.ts'
import { Crc64 } from './checksum/crc64.ts'
import { DatabaseChecksum } from './checksum/database-checksum.ts'
import { LtxError } from './errors.ts'
import {
  checksumFlag,
  decodeHeader,
  headerSize,
  isSnapshot,
  type LtxHeader,
} from './codec/header.ts'
import { readPageFrame } from './codec/page-frame.ts'
import { PageIndexCheck } from './codec/page-index.ts'
import { PageOrder } from './page-order.ts'
import type { LtxPage } from './page.ts'
import { decodeTrailer, trailerSize, type LtxTrailer } from './codec/trailer.ts'

/** The summary of a complete, valid LTX file. */
export interface LtxSummary {
  readonly header: LtxHeader
  readonly trailer: LtxTrailer
  /** How many pages the file holds. */
  readonly pages: number
  /** The file's size in bytes. */
  readonly bytes: number
}

/**
 * Reads an LTX file from front to back, page by page, and checks everything about it on the way.
 *
 * A file is known to be valid only after its end was reached: after `pages()` ended, `nextPage()` gave `null`, or `finish()`
 * returned. If the decoder throws before, undo everything that you did with the pages. It holds one page and the source's
 * last chunk in memory.
 *
 * @example
 * await using decoder = await LtxDecoder.open(createReadStream(path))
 * for await (const page of decoder.pages()) database.writePage(page.number, page.data)
 * console.log(decoder.header.maxTxid, decoder.trailer?.postApplyChecksum)
 */
export class LtxDecoder implements AsyncDisposable {
  readonly header: LtxHeader
  readonly #reader: ByteReader
  readonly #checksum: Crc64
  readonly #index = new PageIndexCheck()
  readonly #order: PageOrder
  readonly #database: DatabaseChecksum | null
  readonly #check = (number: number, offset: number): void => this.#order.next(number, offset)
  #pages = 0
  #trailer: LtxTrailer | null = null
  #failure: { readonly error: unknown } | null = null

  /**
   * Reads and checks the header.
   *
   * This and all methods throw an {@link LtxError} with a code and an offset; errors of the source are passed on as they are.
   * The source is closed when the decoder is disposed, or when this throws.
   */
  static async open(source: ByteSource): Promise<LtxDecoder> {
    const reader = new ByteReader(source)
    try {
      await reader.fill(headerSize)
      return new LtxDecoder(reader, reader.take(headerSize))
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  private constructor(reader: ByteReader, bytes: Buffer) {
    this.header = decodeHeader(bytes)
    this.#reader = reader
    this.#checksum = new Crc64().update(bytes)
    this.#order = new PageOrder(this.header)
    this.#database =
      isSnapshot(this.header) && !this.header.noChecksum ? new DatabaseChecksum() : null
  }

  /** The trailer of the file; `null` until the end was reached and the file was valid. */
  get trailer(): LtxTrailer | null {
    return this.#trailer
  }

  /** How much of the file was read, in bytes. */
  get offset(): number {
    return this.#reader.offset
  }

  /** The remaining pages, in the file's order. If the loop ends without an error, the whole file is valid. */
  async *pages(): AsyncGenerator<LtxPage, void, void> {
    for (;;) {
      const page = await this.nextPage()
      if (page === null) return
      yield page
    }
  }

  /** The next page; `null` after the last one, if the index, the trailer and all checksums are valid. */
  async nextPage(): Promise<LtxPage | null> {
    if (this.#failure !== null) throw this.#failure.error
    if (this.#trailer !== null) return null
    try {
      return await this.#next()
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  /** Reads the rest of the file, and returns its summary. */
  async finish(): Promise<LtxSummary> {
    while ((await this.nextPage()) !== null);
    const trailer = this.#trailer as LtxTrailer
    return { header: this.header, trailer, pages: this.#pages, bytes: this.#reader.offset }
  }

  /** Closes the source. The rest of the file cannot be read afterwards. */
  async close(): Promise<void> {
    this.#failure ??= {
      error: new LtxError('ERR_LTX_OPTION', 'the decoder is closed; open the file again'),
    }
    await this.#reader.close()
  }

  /** Closes, as {@link close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #next(): Promise<LtxPage | null> {
    const { pageSize } = this.header
    const page = await readPageFrame(this.#reader, pageSize, this.#check, this.#checksum)
    if (page === null) {
      await this.#end()
      return null
    }
    this.#pages++
    this.#index.add(page)
    this.#database?.add(page.number, page.data)
    return page
  }

  async #end(): Promise<void> {
    const reader = this.#reader
    this.#order.end(reader.offset)
    await this.#index.read(reader, this.#checksum)
    const offset = reader.offset
    await reader.fill(trailerSize)
    const bytes = reader.take(trailerSize)
    const trailer = decodeTrailer(bytes, this.header, offset)
    const fileChecksum = checksumFlag | this.#checksum.update(bytes.subarray(0, 8)).value
    if (trailer.fileChecksum !== fileChecksum) {
      throw new LtxError('ERR_LTX_CHECKSUM', 'the file checksum is wrong: the file is damaged', {
        offset: offset + 8,
      })
    }
    if (this.#database !== null && trailer.postApplyChecksum !== this.#database.value) {
      throw new LtxError(
        'ERR_LTX_CHECKSUM',
        "the post-apply checksum is not that of the snapshot's pages",
        { offset },
      )
    }
    if (!(await reader.atEnd())) {
      throw new LtxError('ERR_LTX_TRAILING_DATA', 'data follows the end of the file', {
        offset: reader.offset,
      })
    }
    this.#trailer = trailer
  }
}
