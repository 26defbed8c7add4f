import { describe, expect, it } from 'vitest'
import { Random } from '@howdah/fixtures'
import { ByteReader } from '../src/codec/byte-reader.ts'
import { lz4BlockBound } from '../src/codec/lz4-block.ts'
import { encodePageFrame, pageFrameBound, readPageFrame } from '../src/codec/page-frame.ts'
import { xxh32 } from '../src/checksum/xxh32.ts'
import { Crc64 } from '../src/index.ts'

const pageHeader = Buffer.from('000000070000', 'hex')
const raw = (data: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeUInt32LE((data.length | 0x8000_0000) >>> 0)
  return Buffer.concat([size, data])
}

describe("a page's frame", () => {
  it('may have its data in several LZ4 blocks', async () => {
    const [one, other] = [Buffer.alloc(200, 'one'), Buffer.alloc(312, 'other')]
    const flags = Buffer.of(0x60, 0x40)
    const check = Buffer.of((xxh32(flags) >>> 8) & 0xff)
    const descriptor = Buffer.concat([Buffer.from('04224d18', 'hex'), flags, check])
    const bytes = Buffer.concat([pageHeader, descriptor, raw(one), raw(other), Buffer.alloc(4)])
    const page = await readPageFrame(new ByteReader(bytes), 512, () => undefined)
    expect(page).toMatchObject({ number: 7, size: bytes.length, encoding: 'frame' })
    expect(page?.data.equals(Buffer.concat([one, other]))).toBe(true)
  })

  it.each([512, 4096, 65_536])('of %i bytes of noise is within its bound', (size) => {
    const page = { number: 1, data: new Random(size).bytes(size) }
    for (const encoding of ['block', 'frame'] as const) {
      const { length } = encodePageFrame(page, encoding, new Crc64())
      expect(length).toBeGreaterThan(size)
      expect(length).toBeLessThanOrEqual(pageFrameBound(size))
    }
    // Another writer may make the largest block that LZ4 allows.
    expect(pageFrameBound(size)).toBeGreaterThanOrEqual(10 + lz4BlockBound(size))
  })
})
