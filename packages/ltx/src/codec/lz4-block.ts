import { createRequire } from 'node:module'
import { LtxError } from '../errors.ts'

/** The part of lz4-napi that is used. It puts the decompressed size before each block, in 4 bytes, little-endian. */
interface Binding {
  compressSync(data: Buffer): Buffer
  uncompressSync(data: Buffer, dictionary?: Buffer): Buffer
}

const sizeBytes = 4
const require = createRequire(import.meta.url)
let binding: Binding | undefined
let scratch = Buffer.alloc(0)

/** The largest size of an LZ4 block for so much data, in bytes (`LZ4_compressBound` in lz4.h). */
export function lz4BlockBound(size: number): number {
  return size + Math.floor(size / 255) + 16
}

/** Compresses data into one raw LZ4 block, without the size. */
export function compressLz4Block(data: Uint8Array): Buffer {
  return lz4().compressSync(asBuffer(data)).subarray(sizeBytes)
}

/**
 * Decompresses a raw LZ4 block into a new buffer of at most `limit` bytes.
 *
 * `dictionary` is the preceding data, up to 64 KiB, if the block refers to it. `offset` is the place of the block, for the
 * error. Throws `ERR_LTX_LZ4` if the block is damaged, refers to missing data, or has more than `limit` bytes.
 */
export function decompressLz4Block(
  block: Uint8Array,
  limit: number,
  offset: number,
  dictionary?: Buffer,
): Buffer {
  const library = lz4()
  const length = sizeBytes + block.length
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(length)
  scratch.writeUInt32LE(limit, 0)
  scratch.set(block, sizeBytes)
  const input = scratch.subarray(0, length)
  try {
    return dictionary === undefined || dictionary.length === 0
      ? library.uncompressSync(input)
      : library.uncompressSync(input, dictionary)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LtxError('ERR_LTX_LZ4', `the LZ4 block is damaged: ${why}`, { offset, cause })
  }
}

/** The library. It is loaded at its first use, so that a missing native part gives an error with a remedy. */
function lz4(): Binding {
  if (binding === undefined) {
    try {
      binding = require('lz4-napi') as Binding
    } catch (cause) {
      throw new LtxError(
        'ERR_LTX_BINDING',
        `lz4-napi has no native part for ${process.platform} ${process.arch} here; install with optional dependencies` +
          ' (npm install --include=optional), on the platform that it runs on',
        { cause },
      )
    }
  }
  return binding
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
