/** How a page is compressed: as an LZ4 block (LTX since 0.5.2), or as an LZ4 frame (litestream 0.5.0 to 0.5.15). */
export type PageEncoding = 'block' | 'frame'

/** The size of a page's header, in bytes: its number and flags, before the LZ4 data. */
export const pageHeaderSize = 6

/** A page to write. */
export interface PageContent {
  /** The page's number in the database, from 1. */
  readonly number: number
  /** As many bytes as the header's page size says. */
  readonly data: Uint8Array
}

/** A page that was read. */
export interface LtxPage extends PageContent {
  /** The page's data. The receiver owns the memory. */
  readonly data: Buffer
  /** Where the page's frame starts in the file, in bytes. */
  readonly offset: number
  /** The size of the page's frame with its header, in bytes. */
  readonly size: number
  readonly encoding: PageEncoding
  /** The page's stored LZ4 block, valid until the next page is read; `null` if the page is an LZ4 frame. */
  readonly block: Buffer | null
}
