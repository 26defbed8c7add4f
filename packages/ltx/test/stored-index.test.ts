import { describe, expect, it } from 'vitest'
import { ByteReader } from '../src/codec/byte-reader.ts'
import { headerSize, makeHeader } from '../src/codec/header.ts'
import { pageFrameBound } from '../src/codec/page-frame.ts'
import { pageHeaderSize } from '../src/page.ts'
import { StoredIndex } from '../src/stored-index.ts'
import { readUvarint, writeUvarint } from '../src/codec/uvarint.ts'

type Entry = [page: number, offset: number, size: number]

const pageSize = 512
const smallest = pageHeaderSize + 5
const largest = pageFrameBound(pageSize)
const end = [0]

const bytesOf = (...numbers: number[]): number[] => {
  const bytes = Buffer.alloc(10 * numbers.length)
  let length = 0
  for (const number of numbers) length = writeUvarint(bytes, number, length)
  return [...bytes.subarray(0, length)]
}
const entries = (...all: Entry[]): number[] => all.flatMap((entry) => bytesOf(...entry))

/** Reads an index that begins where the pages `fill` up to. */
async function read(
  fill: number,
  index: readonly number[],
  { minTxid = 2n, length = index.length, commit = 9 } = {},
): Promise<StoredIndex> {
  const start = headerSize + fill + pageHeaderSize
  // Of what comes after the index, nothing may be taken for it.
  const reader = new ByteReader(Buffer.from([...index, ...Array<number>(60).fill(7)]), start)
  const header = makeHeader({ pageSize, commit, minTxid, maxTxid: 9n, timestamp: 1n })
  return await StoredIndex.read(reader, length, header)
}

describe('a stored index', () => {
  it('says where each page lies, from the smallest frame to the largest', async () => {
    const all: Entry[] = [
      [2, headerSize, smallest],
      [7, headerSize + smallest, largest],
    ]
    const index = await read(smallest + largest, [...entries(...all), ...end])
    expect([...index].map(({ number, offset, size }) => [number, offset, size])).toEqual(all)
    expect([index.size, index.find(2)?.size, index.find(7)?.size]).toEqual([2, smallest, largest])
    expect([1, 3, 8].map((number) => index.find(number))).toEqual([null, null, null])
  })

  it('may be that of a file without pages', async () => {
    expect((await read(0, end, { commit: 0 })).size).toBe(0)
  })

  const one = (size: number, page = 1): number[] => entries([page, headerSize, size])
  it.each([
    ['no end', 20, one(20), {}, /does not end where it should/],
    ['an end that comes too early', 20, [...one(20), ...end, 1], {}, /ends too early/],
    ['an entry that is cut short', 20, one(20).slice(0, -1), {}, /malformed/],
    ['a number that is longer than it has to be', 20, [0x81, 0, ...end], {}, /malformed/],
    ['a page too small', smallest - 1, [...one(smallest - 1), ...end], {}, /cannot have 10 bytes/],
    ['a page too large', largest + 1, [...one(largest + 1), ...end], {}, /cannot have \d+ bytes/],
    ['a page that reaches into the index', 20, [...one(21), ...end], {}, /cannot have 21 bytes/],
    ['a page that ends before the index', 21, [...one(20), ...end], {}, /do not fill the file/],
    [
      'a page that does not begin where the last one ended',
      41,
      [...entries([1, headerSize, 20], [2, headerSize + 21, 20]), ...end],
      {},
      /do not adjoin/,
    ],
  ])('is refused with %s, with the place', async (_, fill, index, options, why) => {
    await expect(read(fill, index, options)).rejects.toMatchObject({
      code: 'ERR_LTX_INDEX',
      message: expect.stringMatching(why),
      offset: expect.any(Number),
    })
  })

  it.each([
    ['a page twice', [1, 1], 2n, /out of order/],
    ['a page that the database does not have', [10], 2n, /out of order/],
    ['a page of a snapshot left out', [1, 3], 1n, /out of order/],
    ['the last page of a snapshot left out', [1], 1n, /pages are missing/],
  ])('is refused with %s, with the reason', async (_, pages, minTxid, why) => {
    const all = pages.map((page, at): Entry => [page, headerSize + 20 * at, 20])
    const options = { minTxid, commit: minTxid === 1n ? 3 : 9 }
    const reading = read(20 * pages.length, [...entries(...all), ...end], options)
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_LTX_INDEX',
      message: expect.stringMatching(why),
      cause: { code: 'ERR_LTX_PAGE_ORDER' },
    })
  })
})

describe('a uvarint', () => {
  it.each([0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 31, Number.MAX_SAFE_INTEGER])(
    'says %i, and where it ends',
    (value) => {
      const bytes = bytesOf(value)
      expect(readUvarint(Buffer.from([9, ...bytes, 9]), 1)).toEqual([value, 1 + bytes.length])
      expect(readUvarint(Buffer.from(bytes.slice(0, -1)), 0)).toBe(null)
    },
  )

  it.each([
    ['longer than it has to be', [0x81, 0]],
    ['a zero in two bytes', [0x80, 0]],
    ['too large', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['without an end', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ['of eight bytes that go on', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]],
    ['missing', []],
  ])('that is %s is none', (_, bytes) => {
    expect(readUvarint(Uint8Array.from(bytes), 0)).toBe(null)
  })
})
