import { describe, expect, it } from 'vitest'
import { LtxDecoder, LtxError, encodeLtx, verifyLtx } from '../src/index.ts'
import { knownFile, knownFiles } from './support/known-files.ts'
import { gather, read, refusal } from './support/read.ts'

const header = { pageSize: 512, commit: 2, minTxid: 1n, maxTxid: 1n, timestamp: 0n }
const page = (number: number, byte: number): { number: number; data: Buffer } => ({
  number,
  data: Buffer.alloc(512, byte),
})

/** The file with bytes put in place of others. */
function changed(file: Buffer, offset: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(file)
  copy.set(bytes, offset)
  return copy
}

describe('a decoder', () => {
  it('gives the header, the pages with their places, and the trailer', async () => {
    await using decoder = await LtxDecoder.open(knownFile('snap-1024-2'))
    expect(decoder.header).toEqual({
      pageSize: 1024,
      commit: 2,
      minTxid: 1n,
      maxTxid: 1n,
      timestamp: 1000n,
      noChecksum: false,
      preApplyChecksum: 0n,
      walOffset: 0n,
      walSize: 0n,
      walSalt1: 0,
      walSalt2: 0,
      nodeId: 0n,
    })
    const pages = []
    for await (const { number, offset, size, data } of decoder.pages()) {
      pages.push([number, offset, size, data.equals(Buffer.alloc(1024, 0x31 + number))])
    }
    expect(pages).toEqual([
      [1, 100, 36, true],
      [2, 136, 36, true],
    ])
    expect(decoder.trailer).toEqual({
      postApplyChecksum: 0xe189_9b6d_587a_aaaan,
      fileChecksum: 0xf86f_cff3_6247_df82n,
    })
  })

  it('reads all 64 bits of whatever has 64 bits', async () => {
    const { header: extremes } = await verifyLtx(knownFile('incr-extremes'))
    expect(extremes).toMatchObject({
      commit: 0xffff_ffff,
      minTxid: 0xffff_ffff_ffff_fffen,
      maxTxid: 0xffff_ffff_ffff_ffffn,
      timestamp: -1n,
      walOffset: 0x7fff_ffff_ffff_ffffn,
    })
  })

  it('has no trailer to show before the end was reached and found sound', async () => {
    await using decoder = await LtxDecoder.open(knownFile('snap-1024-2'))
    await decoder.nextPage()
    await decoder.nextPage()
    expect(decoder.trailer).toBeNull()
    expect(await decoder.nextPage()).toBeNull()
    expect(decoder.trailer).not.toBeNull()
  })

  it.for([1, 7, 99, 1000])('reads the same from chunks of %i bytes', async (size) => {
    for (const name of knownFiles.filter((one) => !one.startsWith('legacy-v2'))) {
      const bytes = knownFile(name)
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect((await verifyLtx(chunks)).trailer).toEqual((await verifyLtx(bytes)).trailer)
    }
  })

  it('gives pages whose memory nobody else uses', async () => {
    await using decoder = await LtxDecoder.open(knownFile('snap-1024-2'))
    const first = await decoder.nextPage()
    await decoder.finish()
    expect(first?.data.equals(Buffer.alloc(1024, 0x32))).toBe(true)
  })

  it('passes an error of its source on, and tells the source when no more is wanted', async () => {
    const failure = new Error('the network is gone')
    let returned = false
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject<IteratorResult<Buffer>>(failure),
        return: () => {
          returned = true
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    }
    await expect(verifyLtx(source)).rejects.toBe(failure)
    expect(returned).toBe(true)
  })

  it('that is closed reads no more, and tells its source so', async () => {
    let returned = 0
    const source = {
      *[Symbol.iterator]() {
        try {
          for (const byte of knownFile('snap-1024-2')) yield Buffer.of(byte)
        } finally {
          returned++
        }
      },
    }
    const decoder = await LtxDecoder.open(source)
    expect(decoder.offset).toBe(100)
    await decoder.nextPage()
    expect(decoder.offset).toBe(136)
    await decoder.close()
    expect(returned).toBe(1)
    await expect(decoder.nextPage()).rejects.toMatchObject({
      code: 'ERR_LTX_OPTION',
      message: expect.stringContaining('closed'),
    })
    {
      await using disposed = await LtxDecoder.open(source)
      await disposed.nextPage()
    }
    expect(returned).toBe(2)
  })

  it('keeps failing once it has failed', async () => {
    const damaged = changed(knownFile('snap-1024-2'), 140, 0xff)
    await using decoder = await LtxDecoder.open(damaged)
    await decoder.nextPage()
    const first = await decoder.nextPage().catch((error: unknown) => error)
    expect(first).toBeInstanceOf(LtxError)
    await expect(decoder.nextPage()).rejects.toBe(first)
    await expect(decoder.finish()).rejects.toBe(first)
  })
})

describe('a decoder refuses, with the code and the offset,', () => {
  const file = knownFile('snap-1024-2')

  it.for([
    ['another magic number', changed(file, 3, 0x32), 'ERR_LTX_MAGIC', 0],
    ['an unknown flag', changed(file, 7, 1), 'ERR_LTX_HEADER', 4],
    ['a page size that is not a power of two', changed(file, 10, 5), 'ERR_LTX_HEADER', 8],
    ['a page size below 512', changed(file, 10, 1), 'ERR_LTX_HEADER', 8],
    ['a page size above 65536', changed(file, 9, 2, 0), 'ERR_LTX_HEADER', 8],
    ['the transaction id 0', changed(file, 23, 0), 'ERR_LTX_HEADER', 16],
    ['transaction ids out of order', changed(file, 23, 2), 'ERR_LTX_HEADER', 24],
    ['a negative WAL offset', changed(file, 48, 0x80), 'ERR_LTX_HEADER', 48],
    ['a negative WAL size', changed(file, 55, 1, 0x80), 'ERR_LTX_HEADER', 56],
    ['a WAL size without an offset', changed(file, 63, 1), 'ERR_LTX_HEADER', 48],
    ['WAL salts without an offset', changed(file, 67, 1), 'ERR_LTX_HEADER', 48],
    ['a snapshot with a pre-apply checksum', changed(file, 40, 0x80), 'ERR_LTX_HEADER', 40],
    [
      'an increment without a pre-apply checksum',
      changed(changed(file, 31, 2), 23, 2),
      'ERR_LTX_HEADER',
      40,
    ],
    [
      'a pre-apply checksum if there are none',
      changed(knownFile('nochecksum-incr-512'), 40, 0x80),
      'ERR_LTX_HEADER',
      40,
    ],
    ['a page of the number 0', changed(file, 103, 0), 'ERR_LTX_PAGE', 100],
    ['page flags of no version', changed(file, 104, 0, 2), 'ERR_LTX_PAGE', 104],
    ['version 1', changed(file, 104, ...Buffer.from('SQLite')), 'ERR_LTX_VERSION', 100],
    ['version 2', knownFile('legacy-v2-512'), 'ERR_LTX_VERSION', 100],
    ['a block larger than LZ4 makes', changed(file, 106, 0xff), 'ERR_LTX_PAGE', 106],
    ['an empty block', changed(file, 106, 0, 0, 0, 0), 'ERR_LTX_PAGE', 106],
    ['a block that is damaged', changed(file, 110, 0xff), 'ERR_LTX_LZ4', 110],
    ['a block of a short page', changed(file, 117, 0xdb), 'ERR_LTX_PAGE', 100],
    ['a page beyond the database', changed(file, 139, 3), 'ERR_LTX_PAGE_ORDER', 136],
    ['a gap in a snapshot', changed(file, 103, 2), 'ERR_LTX_PAGE_ORDER', 100],
    ['a snapshot that lacks its last page', changed(file, 15, 3), 'ERR_LTX_PAGE_ORDER', 178],
    ['an index of other pages', changed(file, 180, 0x25), 'ERR_LTX_INDEX', 178],
    ['an index that says another size', changed(file, 193, 9), 'ERR_LTX_INDEX', 186],
    ['a post-apply checksum without bit 63', changed(file, 194, 0x61), 'ERR_LTX_TRAILER', 194],
    [
      'a post-apply checksum if there are none',
      changed(knownFile('nochecksum-snap-512'), 152, 0x80),
      'ERR_LTX_TRAILER',
      152,
    ],
    [
      'a post-apply checksum of a deleted database that is not the empty one',
      changed(knownFile('delete-commit0-tx5-6'), 122, 1),
      'ERR_LTX_TRAILER',
      115,
    ],
    ['a file checksum without bit 63', changed(file, 202, 0x78), 'ERR_LTX_TRAILER', 202],
    ['another file checksum', changed(file, 209, 0), 'ERR_LTX_CHECKSUM', 202],
    [
      'reserved bytes that are not those that were hashed',
      changed(file, 99, 1),
      'ERR_LTX_CHECKSUM',
      202,
    ],
    ['data after the end', Buffer.concat([file, Buffer.alloc(1)]), 'ERR_LTX_TRAILING_DATA', 210],
    ['an end within the header', file.subarray(0, 60), 'ERR_LTX_TRUNCATED', 60],
    ['an end after the page block', file.subarray(0, 180), 'ERR_LTX_TRUNCATED', 180],
    ['an empty file', Buffer.alloc(0), 'ERR_LTX_TRUNCATED', 0],
  ] as const)('%s', async ([, bytes, code, offset]) => {
    expect(await refusal(read(bytes))).toEqual({ code, offset })
  })

  it('the lock page, pages out of order, and pages of an empty database', async () => {
    const data = Buffer.alloc(65_536)
    const sound = await gather(
      encodeLtx({ ...header, pageSize: 65_536, commit: 20_000, minTxid: 2n, maxTxid: 2n }, [
        { number: 16_384, data },
        { number: 16_386, data },
      ]),
    )
    expect((await verifyLtx(sound)).pages).toBe(2)
    const lockPage = changed(sound, 103, 0x01)
    expect(await refusal(read(lockPage))).toEqual({ code: 'ERR_LTX_PAGE_ORDER', offset: 100 })
    const second = (await read(sound)).content[1]?.offset ?? 0
    const again = changed(sound, second + 3, 0x00)
    expect(await refusal(read(again))).toEqual({ code: 'ERR_LTX_PAGE_ORDER', offset: second })
    const deleted = changed(sound, 12, 0, 0, 0, 0)
    expect(await refusal(read(deleted))).toEqual({ code: 'ERR_LTX_PAGE_ORDER', offset: 100 })
  })

  it("a snapshot whose post-apply checksum is not that of its pages, though the file's is right", async () => {
    const tracked = { ...header, noChecksum: false }
    const sound = await gather(encodeLtx(tracked, [page(1, 1), page(2, 2)]))
    const incremental = { ...tracked, minTxid: 2n, maxTxid: 2n, preApplyChecksum: 1n << 63n }
    const increment = (postApplyChecksum: bigint) =>
      gather(encodeLtx(incremental, [page(1, 1), page(2, 2)], { postApplyChecksum }))
    const right = sound.readBigUInt64BE(sound.length - 16)
    const wrong = right ^ 1n
    const increments = [await increment(right), await increment(wrong)]
    // CRCs are linear: what the other checksum changes in one file, it changes in each.
    const difference = increments
      .map((one) => one.readBigUInt64BE(one.length - 8))
      .reduce((one, other) => one ^ other)
    const forged = Buffer.from(sound)
    forged.writeBigUInt64BE(wrong, sound.length - 16)
    forged.writeBigUInt64BE(sound.readBigUInt64BE(sound.length - 8) ^ difference, sound.length - 8)
    expect((await verifyLtx(sound)).trailer.postApplyChecksum).toBe(right)
    for (const one of increments) expect((await verifyLtx(one)).pages).toBe(2)
    expect(await refusal(read(forged))).toEqual({
      code: 'ERR_LTX_CHECKSUM',
      offset: sound.length - 16,
    })
    await expect(
      gather(encodeLtx(tracked, [page(1, 1), page(2, 2)], { postApplyChecksum: wrong })),
    ).rejects.toMatchObject({ code: 'ERR_LTX_CHECKSUM' })
  })

  it('text instead of bytes', async () => {
    const text = ['LTX1'] as unknown as Iterable<Uint8Array>
    expect((await refusal(read(text))).code).toBe('ERR_LTX_OPTION')
  })
})
