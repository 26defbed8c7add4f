import type { ByteReader } from './byte-reader.ts'
import type { Crc64 } from '../checksum/crc64.ts'
import { LtxError } from '../errors.ts'
import { compressLz4Block, decompressLz4Block, lz4BlockBound } from './lz4-block.ts'
import { compressLz4Frame, lz4FrameMagic, readLz4Frame } from './lz4-frame.ts'
import { pageHeaderSize, type LtxPage, type PageContent, type PageEncoding } from '../page.ts'

const sizePrefix = 4
const flagsOf = { frame: 0, block: 1 } as const
/** "SQLi", with which page 1 of a SQLite database starts. */
const sqliteMagic = 0x5351_4c69

/** Called with a page's number and the offset of its frame, before the frame is read any further. */
type PageCheck = (number: number, offset: number) => void

/**
 * Reads the next page frame; `null` at the end of the page block.
 *
 * It takes no more memory than an LZ4 block of one page, whatever sizes the frame claims. The bytes that the file checksum
 * covers are added to `checksum`.
 */
export async function readPageFrame(
  reader: ByteReader,
  pageSize: number,
  check: PageCheck,
  checksum?: Crc64,
): Promise<LtxPage | null> {
  if (reader.available < pageHeaderSize) await reader.fill(pageHeaderSize)
  const { offset } = reader
  const number = reader.peek(pageHeaderSize).readUInt32BE(0)
  const flags = reader.peek(pageHeaderSize).readUInt16BE(4)
  if (number === 0) {
    if (flags !== 0) throw invalid('a page has the number 0', offset)
    const end = reader.take(pageHeaderSize)
    checksum?.update(end)
    return null
  }
  check(number, offset)
  switch (flags) {
    case flagsOf.block:
      return await readBlockPage(reader, pageSize, checksum)
    case flagsOf.frame:
      return await readFramePage(reader, pageSize, checksum)
    default:
      throw await unknownFlags(reader, flags)
  }
}

/** Encodes the frame of a page. `block` is the page's LZ4 block, if there is one already. */
export function encodePageFrame(
  page: PageContent,
  encoding: PageEncoding,
  checksum: Crc64,
  block?: Uint8Array | null,
): Buffer {
  const lz4 =
    encoding === 'frame' ? compressLz4Frame(page.data) : (block ?? compressLz4Block(page.data))
  const start = encoding === 'frame' ? pageHeaderSize : pageHeaderSize + sizePrefix
  const frame = Buffer.allocUnsafe(start + lz4.length)
  frame.writeUInt32BE(page.number, 0)
  frame.writeUInt16BE(flagsOf[encoding], 4)
  if (encoding === 'block') frame.writeUInt32BE(lz4.length, pageHeaderSize)
  frame.set(lz4, start)
  checksum.update(frame.subarray(0, start)).update(page.data)
  return frame
}

/** The largest size of a page's frame in bytes, in either encoding. */
export function pageFrameBound(pageSize: number): number {
  return pageHeaderSize + 32 + lz4BlockBound(pageSize)
}

async function readBlockPage(
  reader: ByteReader,
  pageSize: number,
  checksum: Crc64 | undefined,
): Promise<LtxPage> {
  const { offset } = reader
  const start = pageHeaderSize + sizePrefix
  if (reader.available < start) await reader.fill(start)
  const number = reader.peek(start).readUInt32BE(0)
  const length = reader.peek(start).readUInt32BE(pageHeaderSize)
  if (length === 0 || length > lz4BlockBound(pageSize)) {
    throw invalid(
      `page ${number} claims an LZ4 block of ${length} bytes, for ${pageSize} bytes of data`,
      offset + pageHeaderSize,
    )
  }
  const size = start + length
  if (reader.available < size) await reader.fill(size)
  const header = reader.take(start)
  checksum?.update(header)
  const block = reader.take(length)
  const data = decompressLz4Block(block, pageSize, offset + start)
  checkLength(number, data.length, pageSize, offset)
  checksum?.update(data)
  return { number, data, offset, size, encoding: 'block', block }
}

async function readFramePage(
  reader: ByteReader,
  pageSize: number,
  checksum: Crc64 | undefined,
): Promise<LtxPage> {
  const { offset } = reader
  const header = reader.take(pageHeaderSize)
  const number = header.readUInt32BE(0)
  checksum?.update(header)
  const pieces: Buffer[] = []
  for await (const piece of readLz4Frame(reader, pageSize)) pieces.push(piece)
  const [only] = pieces
  const data = pieces.length === 1 && only ? only : Buffer.concat(pieces)
  checkLength(number, data.length, pageSize, offset)
  checksum?.update(data)
  return { number, data, offset, size: reader.offset - offset, encoding: 'frame', block: null }
}

/** The error for unknown flags. They usually mean an older version, which has no flags and has the page's data there. */
async function unknownFlags(reader: ByteReader, flags: number): Promise<LtxError> {
  const { offset } = reader
  await reader.fill(8)
  const word = reader.peek(8).readUInt32BE(4)
  const version = word === lz4FrameMagic ? 2 : word === sqliteMagic ? 1 : null
  if (version !== null) {
    return new LtxError(
      'ERR_LTX_VERSION',
      `this is version ${version} of LTX, and only version 3 is read; write the replica anew with litestream 0.5`,
      { offset },
    )
  }
  return invalid(
    `page flags 0x${flags.toString(16)} are unknown: the page is damaged, or of version 1 of LTX, which is not read`,
    offset + 4,
  )
}

function checkLength(number: number, length: number, pageSize: number, offset: number): void {
  if (length !== pageSize) {
    throw invalid(`page ${number} has ${length} bytes of ${pageSize}`, offset)
  }
}

function invalid(message: string, offset: number): LtxError {
  return new LtxError('ERR_LTX_PAGE', message, { offset })
}
