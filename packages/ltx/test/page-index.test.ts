import { Random } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../src/codec/byte-reader.ts'
import { PageIndexBuilder, PageIndexCheck, type PageLocation } from '../src/codec/page-index.ts'
import { Crc64, crc64 } from '../src/index.ts'

/** Pages one after the other, of sizes and numbers that take from one to five bytes to write. */
function* pages(count: number): Generator<PageLocation> {
  const random = new Random(count)
  let [number, offset] = [0, 100]
  for (let index = 0; index < count; index++) {
    number += 1 + random.below(index % 7 === 0 ? 200_000 : 3)
    const size = 10 + random.below(index % 5 === 0 ? 60_000 : 100)
    yield { number, offset, size }
    offset += size
  }
}

function indexOf(locations: Iterable<PageLocation>): Buffer {
  const builder = new PageIndexBuilder()
  for (const location of locations) builder.add(location)
  return builder.finish()
}

/** Checks an index against these pages, and gives the checksum of what was read. */
async function check(index: Buffer, locations: Iterable<PageLocation>): Promise<bigint> {
  const checker = new PageIndexCheck()
  for (const location of locations) checker.add(location)
  const checksum = new Crc64()
  const reader = new ByteReader(index, 5_000)
  await checker.read(reader, checksum)
  expect(await reader.atEnd()).toBe(true)
  return checksum.value
}

describe.each([0, 1, 2, 60, 100, 4_000])('the index of %i pages', (count) => {
  const index = indexOf(pages(count))

  it('is found to be theirs, and is a part of the checksum of the file', async () => {
    expect(index.readBigUInt64BE(index.length - 8)).toBe(BigInt(index.length - 8))
    expect(index[index.length - 9]).toBe(0)
    expect(await check(index, pages(count))).toBe(crc64(index))
  })

  it('is refused if anything in it is different', async () => {
    const step = Math.max(1, Math.floor(index.length / 40))
    for (let at = 0; at < index.length; at += at < index.length - 20 ? step : 1) {
      const damaged = Buffer.from(index)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
      await expect(check(damaged, pages(count))).rejects.toMatchObject({ code: 'ERR_LTX_INDEX' })
    }
  })

  it('is that of no other pages', async () => {
    const others: PageLocation[][] = [
      [...pages(count + 1)],
      [...pages(count)].map(({ number, offset, size }) => ({ number, offset: offset + 1, size })),
    ]
    if (count > 0) others.push([...pages(count)].slice(1))
    for (const locations of others.filter(({ length }) => length > 0 || count > 0)) {
      const refusal = check(index, locations)
      await expect(refusal).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_LTX_(INDEX|TRUNCATED)$/),
      })
    }
  })
})
