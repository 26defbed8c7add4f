import { ByteReader, type ByteSource } from './byte-reader.ts'
import { LtxError } from '../errors.ts'
import { compressLz4Block, decompressLz4Block, lz4BlockBound } from './lz4-block.ts'
import { Xxh32, xxh32 } from '../checksum/xxh32.ts'

/** The magic number of an LZ4 frame, as its four bytes read in big-endian order. */
export const lz4FrameMagic = 0x04224d18

const storedRaw = 0x8000_0000
const historySize = 65_536
const endMark = Buffer.alloc(4)

/** The descriptor of an LZ4 frame (github.com/lz4/lz4, doc/lz4_Frame_format.md). */
interface FrameDescriptor {
  readonly linkedBlocks: boolean
  readonly blockChecksums: boolean
  readonly contentChecksum: boolean
  readonly contentSize: bigint | null
  /** The largest size of a block's data, in bytes. */
  readonly blockSize: number
}

/**
 * Decompresses an LZ4 frame, block by block, and verifies its checksums.
 *
 * The source must contain exactly one frame. It takes as much memory as two of the frame's blocks, which have at most 4 MiB.
 * Throws an {@link LtxError}: `ERR_LTX_LZ4` if the frame is damaged, `ERR_LTX_TRUNCATED` if the source ends before the frame
 * does, `ERR_LTX_TRAILING_DATA` if it goes on after it. Errors of the source are passed on as they are.
 */
export async function* decompressLz4Frame(source: ByteSource): AsyncGenerator<Buffer, void, void> {
  const reader = new ByteReader(source)
  try {
    yield* readLz4Frame(reader, Infinity)
    if (!(await reader.atEnd())) {
      throw new LtxError('ERR_LTX_TRAILING_DATA', 'data follows the end of the LZ4 frame', {
        offset: reader.offset,
      })
    }
  } finally {
    await reader.close()
  }
}

/** Reads one LZ4 frame, which may have at most `limit` bytes of data, up to its end. */
export async function* readLz4Frame(
  reader: ByteReader,
  limit: number,
): AsyncGenerator<Buffer, void, void> {
  const descriptor = await readDescriptor(reader)
  const content = descriptor.contentChecksum ? new Xxh32() : null
  let history = Buffer.alloc(0)
  let total = 0
  for (;;) {
    const room = Math.min(descriptor.blockSize, limit - total)
    const data = await readBlock(reader, descriptor, room, history)
    if (data === null) break
    total += data.length
    content?.update(data)
    if (descriptor.linkedBlocks) history = Buffer.concat([history, data]).subarray(-historySize)
    yield data
  }
  if (descriptor.contentSize !== null && descriptor.contentSize !== BigInt(total)) {
    throw damaged(reader, `it holds ${total} bytes and says ${descriptor.contentSize}`)
  }
  if (content !== null) await verify(reader, content.value, 'content')
}

/**
 * Compresses data into one LZ4 frame, in the form in which litestream 0.5.0 to 0.5.15 write pages: blocks of 64 KiB, with a
 * content checksum.
 */
export function compressLz4Frame(data: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7])]
  for (let from = 0; from < data.length; from += historySize) {
    const piece = data.subarray(from, from + historySize)
    const block = compressLz4Block(piece)
    const smaller = block.length < piece.length
    parts.push(
      uint32(smaller ? block.length : (piece.length | storedRaw) >>> 0),
      smaller ? block : piece,
    )
  }
  parts.push(endMark, uint32(xxh32(data)))
  return Buffer.concat(parts)
}

async function readDescriptor(reader: ByteReader): Promise<FrameDescriptor> {
  await reader.fill(7)
  if (reader.peek(4).readUInt32BE() !== lz4FrameMagic) {
    throw damaged(reader, 'it does not start with the magic number of a frame')
  }
  const flags = reader.peek(6).readUInt8(4)
  const blockCode = reader.peek(6).readUInt8(5)
  if (flags >> 6 !== 1) throw damaged(reader, `its version is ${flags >> 6}, not 1`)
  if (flags & 0x02) throw damaged(reader, 'a reserved flag is set')
  if (flags & 0x01) throw damaged(reader, 'it needs a dictionary')
  if (blockCode & 0x8f || blockCode >> 4 < 4) throw damaged(reader, 'its block size is not defined')
  const length = flags & 0x08 ? 15 : 7
  await reader.fill(length)
  const bytes = reader.peek(length)
  if (bytes.readUInt8(length - 1) !== ((xxh32(bytes.subarray(4, -1)) >>> 8) & 0xff)) {
    throw damaged(reader, "its descriptor's checksum is wrong")
  }
  reader.take(length)
  return {
    linkedBlocks: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentSize: flags & 0x08 ? bytes.readBigUInt64LE(6) : null,
    blockSize: 1 << (8 + 2 * (blockCode >> 4)),
  }
}

/** Reads the next block, of at most `room` bytes; `null` at the frame's end mark. */
async function readBlock(
  reader: ByteReader,
  descriptor: FrameDescriptor,
  room: number,
  history: Buffer,
): Promise<Buffer | null> {
  await reader.fill(4)
  const word = reader.peek(4).readUInt32LE()
  if (word === 0) {
    reader.take(4)
    return null
  }
  const size = word & ~storedRaw
  const raw = word !== size
  if (size > (raw ? room : Math.min(descriptor.blockSize, lz4BlockBound(room)))) {
    throw damaged(reader, `a block of ${size} bytes is too large`)
  }
  reader.take(4)
  await reader.fill(size)
  const offset = reader.offset
  const stored = reader.take(size)
  const data = raw ? Buffer.from(stored) : decompress(stored, room, offset, history)
  if (descriptor.blockChecksums) await verify(reader, xxh32(stored), 'block')
  return data
}

/**
 * Decompresses a block into a small buffer, and only if that is too small into one of up to 4 MiB. Usually a block has much
 * less data than it may have.
 */
function decompress(block: Buffer, limit: number, offset: number, history: Buffer): Buffer {
  const likely = 65_536 + 4 * block.length
  if (likely < limit) {
    try {
      return decompressLz4Block(block, likely, offset, history)
    } catch (error) {
      if (!(error instanceof LtxError && error.code === 'ERR_LTX_LZ4')) throw error
    }
  }
  return decompressLz4Block(block, limit, offset, history)
}

async function verify(reader: ByteReader, expected: number, what: string): Promise<void> {
  await reader.fill(4)
  if (reader.peek(4).readUInt32LE() !== expected) {
    throw damaged(reader, `its ${what} checksum is wrong`)
  }
  reader.take(4)
}

function damaged(reader: ByteReader, why: string): LtxError {
  return new LtxError('ERR_LTX_LZ4', `the LZ4 frame is damaged: ${why}`, { offset: reader.offset })
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value)
  return bytes
}
