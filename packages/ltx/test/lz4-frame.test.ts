import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { LtxError, decompressLz4Frame } from '../src/index.ts'
import { compressLz4Frame } from '../src/codec/lz4-frame.ts'
import { xxh32 } from '../src/checksum/xxh32.ts'
import { Random } from '@howdah/fixtures'
import { gather } from './support/read.ts'

interface Library {
  compressFrameSync(data: Buffer, options?: object): Buffer
  decompressFrameSync(data: Buffer): Buffer
  compressSync(data: Buffer, dictionary?: Buffer): Buffer
}
const require = createRequire(import.meta.url)
const library = require('lz4-napi') as Library

const text = Buffer.alloc(200_000, 'the quick brown fox jumps over the lazy dog. ')
const noise = new Random(6).bytes(150_000)

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A frame of these blocks, with its descriptor's checksum right. */
function frame(flags: number, blockCode: number, more: Buffer, ...rest: Buffer[]): Buffer {
  const descriptor = Buffer.concat([Buffer.of(flags, blockCode), more])
  const check = Buffer.of((xxh32(descriptor) >>> 8) & 0xff)
  return Buffer.concat([uint32(0x184d2204), descriptor, check, ...rest])
}

const nothing = Buffer.alloc(0)
const block = (data: Buffer, dictionary?: Buffer): Buffer => {
  const bytes = library.compressSync(data, dictionary).subarray(4)
  return Buffer.concat([uint32(bytes.length), bytes])
}

describe('an LZ4 frame', () => {
  it.for([
    ['text', text],
    ['noise', noise],
    ['nothing', nothing],
  ] as const)('of another writer decompresses: %s', async ([, data]) => {
    for (const options of [{}, { contentChecksum: true }, { blockChecksums: true }]) {
      const frames = library.compressFrameSync(data, options)
      expect((await gather(decompressLz4Frame(frames))).equals(data)).toBe(true)
    }
  })

  it('of ours is read by another reader', () => {
    for (const data of [text, noise, nothing]) {
      expect(library.decompressFrameSync(compressLz4Frame(data)).equals(data)).toBe(true)
    }
  })

  it('may refer to the blocks before', async () => {
    const [first, second] = [noise.subarray(0, 60_000), noise.subarray(0, 50_000)]
    const linked = frame(0x40, 0x40, nothing, block(first), block(second, first), uint32(0))
    expect(linked.length).toBeLessThan(70_000)
    const all = await gather(decompressLz4Frame(linked))
    expect(all.equals(Buffer.concat([first, second]))).toBe(true)
    const independent = frame(0x60, 0x40, nothing, block(first), block(second, first), uint32(0))
    await expect(gather(decompressLz4Frame(independent))).rejects.toMatchObject({
      code: 'ERR_LTX_LZ4',
    })
  })

  it('may say its size', async () => {
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(500n)
    const data = block(text.subarray(0, 500))
    const right = frame(0x68, 0x40, size, data, uint32(0))
    expect((await gather(decompressLz4Frame(right))).length).toBe(500)
    size.writeBigUInt64LE(501n)
    const wrong = frame(0x68, 0x40, size, data, uint32(0))
    await expect(gather(decompressLz4Frame(wrong))).rejects.toThrow('holds 500 bytes and says 501')
  })

  it.for([
    ['another magic number', Buffer.from('not an LZ4 frame')],
    ['another version', frame(0xa0, 0x40, nothing, uint32(0))],
    ['a reserved flag', frame(0x62, 0x40, nothing, uint32(0))],
    ['a dictionary', frame(0x61, 0x40, uint32(1), uint32(0))],
    ['an undefined block size', frame(0x60, 0x30, nothing, uint32(0))],
    ['a damaged descriptor', Buffer.from('04224d186040ff00000000', 'hex')],
    ['a block larger than its maximum', frame(0x60, 0x40, nothing, uint32(65_537), noise)],
    ['a raw block larger than its maximum', frame(0x60, 0x40, nothing, uint32(0x8001_0001), noise)],
    [
      'a block that holds more than its maximum',
      frame(0x60, 0x40, nothing, block(text), uint32(0)),
    ],
    ['a wrong block checksum', frame(0x70, 0x40, nothing, block(text.subarray(0, 9)), uint32(1))],
    ['a wrong content checksum', frame(0x64, 0x40, nothing, uint32(0), uint32(1))],
  ] as const)('is refused with %s', async ([, bytes]) => {
    await expect(gather(decompressLz4Frame(bytes))).rejects.toMatchObject({ code: 'ERR_LTX_LZ4' })
  })

  it('is refused if it ends early, or data follows it', async () => {
    const whole = compressLz4Frame(text.subarray(0, 300))
    for (let length = 0; length < whole.length; length++) {
      await expect(gather(decompressLz4Frame(whole.subarray(0, length)))).rejects.toMatchObject({
        code: 'ERR_LTX_TRUNCATED',
        offset: length,
      })
    }
    const longer = Buffer.concat([whole, Buffer.of(0)])
    await expect(gather(decompressLz4Frame(longer))).rejects.toMatchObject({
      code: 'ERR_LTX_TRAILING_DATA',
      offset: whole.length,
    })
  })

  it('is refused or decompresses to the same when a bit changes', async () => {
    const whole = compressLz4Frame(Buffer.concat([text.subarray(0, 300), noise.subarray(0, 200)]))
    const expected = await gather(decompressLz4Frame(whole))
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const outcome = await gather(decompressLz4Frame(damaged)).catch((error: unknown) => error)
      const same = outcome instanceof Buffer && outcome.equals(expected)
      expect(same || outcome instanceof LtxError).toBe(true)
    }
  })
})
