import { Crc64 } from './checksum/crc64.ts'
import { DatabaseChecksum } from './checksum/database-checksum.ts'
import { LtxError } from './errors.ts'
import {
  checksumFlag,
  encodeHeader,
  headerSize,
  isSnapshot,
  makeHeader,
  type LtxHeader,
  type LtxHeaderInit,
} from './codec/header.ts'
import { encodePageFrame } from './codec/page-frame.ts'
import { PageIndexBuilder } from './codec/page-index.ts'
import { PageOrder } from './page-order.ts'
import { pageHeaderSize, type PageContent, type PageEncoding } from './page.ts'
import { checkPostApply, encodeTrailer, type LtxTrailer } from './codec/trailer.ts'

type Step = 'new' | 'started' | 'finished'

/** How to write an LTX file. */
export interface LtxEncoderOptions {
  /** How pages are compressed: `'block'` (the default), or `'frame'` for readers that do not know blocks. */
  readonly encoding?: PageEncoding | undefined
}

/**
 * Makes the bytes of an LTX file piece by piece. The caller writes the results of `start()`, `page()` for every page in
 * ascending order, and `finish()`.
 *
 * It holds the page index in memory, a few bytes per page. Throws an {@link LtxError}: `ERR_LTX_HEADER` for an invalid
 * header, `ERR_LTX_PAGE_ORDER` for a page that must not come next, `ERR_LTX_PAGE` for a page of another size,
 * `ERR_LTX_OPTION` if the calls are out of order.
 */
export class LtxEncoder {
  readonly header: LtxHeader
  readonly #encoding: PageEncoding
  readonly #checksum = new Crc64()
  readonly #index = new PageIndexBuilder()
  readonly #order: PageOrder
  readonly #database: DatabaseChecksum | null
  #step: Step = 'new'
  #offset = 0
  #trailer: LtxTrailer | null = null

  constructor(header: LtxHeaderInit, options: LtxEncoderOptions = {}) {
    this.header = makeHeader(header)
    this.#encoding = options.encoding ?? 'block'
    this.#order = new PageOrder(this.header)
    this.#database =
      isSnapshot(this.header) && !this.header.noChecksum ? new DatabaseChecksum() : null
  }

  /** The size of the file so far, in bytes. */
  get offset(): number {
    return this.#offset
  }

  /** The trailer of the file; `null` until it is finished. */
  get trailer(): LtxTrailer | null {
    return this.#trailer
  }

  /** The header's bytes. */
  start(): Buffer {
    this.#take('new', 'started')
    const bytes = encodeHeader(this.header)
    this.#checksum.update(bytes)
    this.#offset = headerSize
    return bytes
  }

  /**
   * The bytes of one page.
   *
   * `block` is the page's LZ4 block, if there is one already. With the encoding `'block'` it is copied, and the data is not
   * compressed again.
   */
  page(page: PageContent, block?: Uint8Array | null): Buffer {
    this.#take('started', 'started')
    if (page.data.length !== this.header.pageSize) {
      throw new LtxError(
        'ERR_LTX_PAGE',
        `page ${page.number} has ${page.data.length} bytes, and pages have ${this.header.pageSize}`,
      )
    }
    this.#order.next(page.number)
    const frame = encodePageFrame(page, this.#encoding, this.#checksum, block)
    this.#index.add({ number: page.number, offset: this.#offset, size: frame.length })
    this.#database?.add(page.number, page.data)
    this.#offset += frame.length
    return frame
  }

  /**
   * The bytes after the last page.
   *
   * A file that tracks checksums needs the database checksum after it is applied; for a snapshot it is computed. Throws
   * `ERR_LTX_PAGE_ORDER` if a snapshot lacks pages, `ERR_LTX_TRAILER` if the checksum is missing or must not be given,
   * `ERR_LTX_CHECKSUM` if it is not the checksum of the snapshot.
   */
  finish(postApplyChecksum?: bigint): Buffer {
    this.#take('started', 'started')
    this.#order.end()
    const post = postApplyChecksum ?? this.#database?.value ?? 0n
    checkPostApply(this.header, post)
    if (this.#database !== null && post !== this.#database.value) {
      throw new LtxError(
        'ERR_LTX_CHECKSUM',
        "the post-apply checksum is not that of the snapshot's pages",
      )
    }
    this.#take('started', 'finished')
    const body = Buffer.concat([Buffer.alloc(pageHeaderSize), this.#index.finish()])
    const postBytes = Buffer.alloc(8)
    postBytes.writeBigUInt64BE(post)
    const fileChecksum = checksumFlag | this.#checksum.update(body).update(postBytes).value
    this.#trailer = { postApplyChecksum: post, fileChecksum }
    const bytes = Buffer.concat([body, encodeTrailer(this.#trailer)])
    this.#offset += bytes.length
    return bytes
  }

  #take(from: Step, to: Step): void {
    if (this.#step !== from) {
      throw new LtxError(
        'ERR_LTX_OPTION',
        `the file is ${this.#step}; call start() once, then page(), and finish() once`,
      )
    }
    this.#step = to
  }
}
