/** How a page is compressed: as an LZ4 block (LTX since 0.5.2), or as an LZ4 frame (litestream 0.5.0 to 0.5.15). */
export type PageEncoding = 'block' | 'frame'

/** The bytes in front of a page's LZ4 data: its number and flags. */
export const pageHeaderSize = 6

/** A page to write. */
export interface PageContent {
  /** The page's number in the database, from 1. */
  readonly number: number
  /** As many bytes as the header's page size says. */
  readonly data: Uint8Array
}

/** A page as it was read. */
export interface LtxPage extends PageContent {
  /** The page's data, whose memory is the receiver's own. */
  readonly data: Buffer
  /** Where the page's frame starts in the file, in bytes. */
  readonly offset: number
  /** The size of the page's frame with its header, in bytes. */
  readonly size: number
  readonly encoding: PageEncoding
  /** The page's LZ4 block as it is stored, until the next page is asked for; `null` if it is an LZ4 frame. */
  readonly block: Buffer | null
}
