import { describe, expect, it } from 'vitest'
import { DatabaseChecksum, LtxEncoder, encodeLtx, lockPageNumber, verifyLtx } from '../src/index.ts'
import { knownFile, knownFiles } from './support/known-files.ts'
import { seededRandom } from '@howdah/fixtures'
import { gather, read } from './support/read.ts'

const header = { pageSize: 512, commit: 2, minTxid: 2n, maxTxid: 3n, timestamp: 1_700_000_000_000n }
const data = Buffer.alloc(512, 7)

describe('an encoder', () => {
  it.for(knownFiles.filter((name) => !name.startsWith('legacy')))(
    'writes what reads again as the same: %s',
    async (name) => {
      const original = await read(knownFile(name))
      for (const encoding of ['block', 'frame'] as const) {
        const { postApplyChecksum } = original.trailer
        const bytes = await gather(
          encodeLtx(original.header, original.content, { encoding, postApplyChecksum }),
        )
        const ours = await read(bytes)
        expect(ours.header).toEqual(original.header)
        expect(ours.trailer.postApplyChecksum).toBe(postApplyChecksum)
        expect(ours.content.map((page) => [page.number, page.data.toString('hex')])).toEqual(
          original.content.map((page) => [page.number, page.data.toString('hex')]),
        )
        expect(ours.content.every((page) => page.encoding === encoding)).toBe(true)
      }
    },
  )

  it(
    'takes pages of every size, compressible or not, in both encodings',
    { tags: 'property' },
    async () => {
      const random = seededRandom(4)
      for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
        const pages = [
          random.bytes(pageSize),
          Buffer.alloc(pageSize),
          Buffer.alloc(pageSize, 'text'),
        ]
        for (const encoding of ['block', 'frame'] as const) {
          const content = pages.map((one, index) => ({ number: index + 1, data: one }))
          const chunks = encodeLtx({ ...header, pageSize, commit: 3, minTxid: 1n }, content, {
            encoding,
          })
          const file = await read(await gather(chunks))
          expect(file.content.map((page, index) => pages[index]?.equals(page.data))).toEqual([
            true,
            true,
            true,
          ])
        }
      }
    },
  )

  it('writes without checksums unless told otherwise, as litestream does', async () => {
    const bytes = await gather(encodeLtx(header, []))
    expect((await verifyLtx(bytes)).header.noChecksum).toBe(true)
    expect(bytes.readUInt32BE(4)).toBe(2)
  })

  it("knows a snapshot's post-apply checksum by itself", async () => {
    const pages = [
      { number: 1, data },
      { number: 2, data: Buffer.alloc(512) },
    ]
    const snapshot = { ...header, minTxid: 1n, noChecksum: false }
    const { trailer } = await verifyLtx(await gather(encodeLtx(snapshot, pages)))
    const checksum = new DatabaseChecksum()
    for (const page of pages) checksum.add(page.number, page.data)
    expect(trailer.postApplyChecksum).toBe(checksum.value)
  })

  it('asks for the post-apply checksum of an increment after its last page', async () => {
    const checksum = new DatabaseChecksum()
    function* pages(): Generator<{ number: number; data: Buffer }> {
      checksum.add(1, data)
      yield { number: 1, data }
    }
    const tracked = { ...header, noChecksum: false, preApplyChecksum: 1n << 63n }
    const bytes = await gather(
      encodeLtx(tracked, pages(), { postApplyChecksum: () => checksum.value }),
    )
    expect((await verifyLtx(bytes)).trailer.postApplyChecksum).toBe(checksum.value)
  })

  it('skips the lock page in a snapshot', async () => {
    const pageSize = 65_536
    const page = Buffer.alloc(pageSize)
    const commit = lockPageNumber(pageSize) + 1
    function* pages(): Generator<{ number: number; data: Buffer }> {
      for (let number = 1; number <= commit; number++) {
        if (number !== lockPageNumber(pageSize)) yield { number, data: page }
      }
    }
    const snapshot = { ...header, pageSize, commit, minTxid: 1n }
    let last
    const started = encoder(snapshot)
    for (const one of pages()) last = started.page(one).readUInt32BE(0)
    expect(last).toBe(16_386)
    expect(() => started.finish()).not.toThrow()
  })
})

describe('an encoder tells', () => {
  it('how long the file is so far, and its trailer when it is finished', async () => {
    const writing = new LtxEncoder(header)
    expect([writing.offset, writing.trailer]).toEqual([0, null])
    const parts = [writing.start()]
    expect(writing.offset).toBe(100)
    for (const number of [1, 2]) {
      parts.push(writing.page({ number, data }))
      expect(writing.offset).toBe(Buffer.concat(parts).length)
    }
    expect(writing.trailer).toBeNull()
    parts.push(writing.finish())
    const bytes = Buffer.concat(parts)
    expect(writing.offset).toBe(bytes.length)
    expect(writing.trailer).toEqual((await verifyLtx(bytes)).trailer)
  })

  it('that a checksum is not that of the snapshot', () => {
    const snapshot = encoder({ minTxid: 1n, noChecksum: false })
    for (const number of [1, 2]) snapshot.page({ number, data })
    expect(() => snapshot.finish((1n << 63n) | 1n)).toThrow(
      expect.objectContaining({ code: 'ERR_LTX_CHECKSUM' }),
    )
    const checksum = new DatabaseChecksum().add(1, data).add(2, data)
    expect(() => snapshot.finish(checksum.value)).not.toThrow()
  })

  it('a block of a page that is compressed already is written as it is', async () => {
    const other = new LtxEncoder(header)
    other.start()
    const block = other.page({ number: 1, data }).subarray(10)
    const writing = new LtxEncoder(header)
    const parts = [writing.start(), writing.page({ number: 1, data }, block)]
    expect(parts[1]?.subarray(10).equals(block)).toBe(true)
    parts.push(writing.finish())
    const { content } = await read(Buffer.concat(parts))
    expect(content.map((page) => page.data.equals(data))).toEqual([true])
  })
})

const encoder = (init: object = {}): LtxEncoder => {
  const made = new LtxEncoder({ ...header, ...init })
  made.start()
  return made
}

describe('an encoder refuses', () => {
  it.for([
    ['a page size that is none', { pageSize: 1000 }],
    ['the transaction id 0', { minTxid: 0n }],
    ['transaction ids out of order', { maxTxid: 1n }],
    ['WAL salts without an offset', { walSalt1: 1 }],
    ['a checksum where there are none', { preApplyChecksum: 1n << 63n }],
    ['an increment that tracks checksums without one', { noChecksum: false }],
    ['a commit of more than 32 bits', { commit: 2 ** 32 }],
    ['a transaction id of more than 64 bits', { maxTxid: 1n << 64n }],
  ] as const)('%s', ([, init]) => {
    expect(() => encoder(init)).toThrow(expect.objectContaining({ code: 'ERR_LTX_HEADER' }))
  })

  it('a page that is out of order, out of the database, the lock page, or of another size', () => {
    const order = expect.objectContaining({ code: 'ERR_LTX_PAGE_ORDER' })
    const ascending = encoder()
    ascending.page({ number: 2, data })
    expect(() => ascending.page({ number: 2, data })).toThrow(order)
    expect(() => ascending.page({ number: 1, data })).toThrow(order)
    expect(() => encoder().page({ number: 3, data })).toThrow(order)
    expect(() => encoder().page({ number: 0, data })).toThrow(order)
    expect(() => encoder({ minTxid: 1n }).page({ number: 2, data })).toThrow(order)
    const lockPage = lockPageNumber(512)
    expect(() => encoder({ commit: lockPage }).page({ number: lockPage, data })).toThrow(order)
    expect(() => encoder().page({ number: 1, data: Buffer.alloc(511) })).toThrow(
      expect.objectContaining({ code: 'ERR_LTX_PAGE' }),
    )
  })

  it('to finish a snapshot that lacks pages', () => {
    const snapshot = encoder({ minTxid: 1n })
    snapshot.page({ number: 1, data })
    expect(() => snapshot.finish()).toThrow(expect.objectContaining({ code: 'ERR_LTX_PAGE_ORDER' }))
    snapshot.page({ number: 2, data })
    expect(() => snapshot.finish()).not.toThrow()
  })

  it('to finish without the post-apply checksum that it needs, or with one too many', () => {
    const tracked = { noChecksum: false, preApplyChecksum: 1n << 63n }
    const trailer = expect.objectContaining({ code: 'ERR_LTX_TRAILER' })
    expect(() => encoder(tracked).finish()).toThrow(trailer)
    expect(() => encoder(tracked).finish(5n)).toThrow(trailer)
    expect(() => encoder().finish(1n << 63n)).toThrow(trailer)
  })

  it('calls out of order', () => {
    const option = expect.objectContaining({ code: 'ERR_LTX_OPTION' })
    expect(() => new LtxEncoder(header).page({ number: 1, data })).toThrow(option)
    const finished = encoder()
    finished.finish()
    expect(() => finished.page({ number: 1, data })).toThrow(option)
    expect(() => finished.start()).toThrow(option)
  })
})
