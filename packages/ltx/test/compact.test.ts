import { describe, expect, it } from 'vitest'
import { compactLtx, encodeLtx, type LtxHeaderInit, type PageContent } from '../src/index.ts'
import { knownFile } from './support/known-files.ts'
import { pageData } from './support/page-data.ts'
import { gather, read } from './support/read.ts'

interface Pages {
  readonly [number: number]: number
}

/** A file of transactions min to max whose pages are filled with these bytes. */
function file(
  minTxid: bigint,
  maxTxid: bigint,
  commit: number,
  pages: Pages,
  more: Partial<LtxHeaderInit> & { encoding?: 'frame' } = {},
): Promise<Buffer> {
  const content = Object.entries(pages).map(([number, byte]): PageContent => ({
    number: Number(number),
    data: Buffer.alloc(more.pageSize ?? 512, byte),
  }))
  const header = { pageSize: 512, commit, minTxid, maxTxid, timestamp: maxTxid * 1000n, ...more }
  return gather(encodeLtx(header, content, more.encoding ? { encoding: more.encoding } : {}))
}

/** The pages of the compacted file and what they are filled with. */
async function compacted(...inputs: Buffer[]): Promise<{ [number: string]: number | undefined }> {
  const { content } = await read(await gather(compactLtx(inputs)))
  return Object.fromEntries(content.map((page) => [page.number, page.data[0]]))
}

describe('compaction', () => {
  it('gives what the reference implementation gives, byte for byte', async () => {
    const bytes = await gather(compactLtx([knownFile('cmp-a'), knownFile('cmp-b')]))
    expect(bytes.equals(knownFile('cmp-ab'))).toBe(true)
  })

  it('keeps the last version of each page', async () => {
    const inputs = await Promise.all([
      file(2n, 2n, 9, { 1: 10, 3: 30, 7: 70 }),
      file(3n, 3n, 9, { 3: 31, 4: 40 }),
      file(4n, 4n, 9, { 1: 11, 9: 90 }),
    ])
    expect(await compacted(...inputs)).toEqual({ 1: 11, 3: 31, 4: 40, 7: 70, 9: 90 })
  })

  it('drops pages beyond the final size', async () => {
    const inputs = [
      await file(2n, 2n, 9, { 1: 10, 8: 80, 9: 90 }),
      await file(3n, 3n, 8, { 2: 20 }),
    ]
    expect(await compacted(...inputs)).toEqual({ 1: 10, 2: 20, 8: 80 })
  })

  it('takes the start from the first file, and the end, the size and the time from the last', async () => {
    const inputs = [await file(2n, 3n, 9, {}), await file(4n, 8n, 5, {})]
    const { header } = await read(await gather(compactLtx(inputs)))
    expect(header).toMatchObject({ minTxid: 2n, maxTxid: 8n, commit: 5, timestamp: 8000n })
  })

  it('takes files that overlap', async () => {
    const inputs = [await file(2n, 5n, 9, { 1: 10 }), await file(3n, 7n, 9, { 1: 11 })]
    expect(await compacted(...inputs)).toEqual({ 1: 11 })
  })

  it('takes files with gaps only when told so', async () => {
    const inputs = [await file(2n, 2n, 9, { 1: 10 }), await file(4n, 4n, 9, { 2: 20 })]
    await expect(gather(compactLtx(inputs))).rejects.toMatchObject({ code: 'ERR_LTX_COMPACTION' })
    const { content } = await read(await gather(compactLtx(inputs, { allowGaps: true })))
    expect(content.map((page) => page.number)).toEqual([1, 2])
  })

  it('tracks checksums only if all inputs do', async () => {
    const tracked = { noChecksum: false, preApplyChecksum: (1n << 63n) | 5n }
    const first = await gather(
      encodeLtx(
        { pageSize: 512, commit: 1, minTxid: 2n, maxTxid: 2n, timestamp: 0n, ...tracked },
        [],
        { postApplyChecksum: (1n << 63n) | 6n },
      ),
    )
    const second = await file(3n, 3n, 1, {})
    const alone = await read(await gather(compactLtx([first])))
    expect(alone.header).toMatchObject(tracked)
    expect(alone.trailer.postApplyChecksum).toBe((1n << 63n) | 6n)
    const mixed = await read(await gather(compactLtx([first, second])))
    expect(mixed.header).toMatchObject({ noChecksum: true, preApplyChecksum: 0n })
    const without = await read(await gather(compactLtx([first], { noChecksum: true })))
    expect(without.header.noChecksum).toBe(true)
  })

  it('reads both encodings and writes either', async () => {
    const inputs = [
      await file(2n, 2n, 9, { 1: 10 }, { encoding: 'frame' }),
      await file(3n, 3n, 9, { 2: 20 }),
    ]
    for (const encoding of ['block', 'frame'] as const) {
      const { content } = await read(await gather(compactLtx(inputs, { encoding })))
      expect(content.map((page) => page.encoding)).toEqual([encoding, encoding])
      expect(content.map((page) => page.data[0])).toEqual([10, 20])
    }
  })

  it.for([
    ['nothing at all', []],
    ['page sizes that differ', [file(2n, 2n, 1, {}), file(3n, 3n, 1, {}, { pageSize: 1024 })]],
    ['files in the wrong order', [file(3n, 3n, 1, {}), file(2n, 2n, 1, {})]],
    ['a file twice', [file(2n, 2n, 1, {}), file(2n, 2n, 1, {})]],
    ['a file within the one before', [file(2n, 5n, 1, {}), file(3n, 4n, 1, {})]],
  ] as const)('refuses %s', async ([, inputs]) => {
    const files = await Promise.all(inputs)
    await expect(gather(compactLtx(files))).rejects.toMatchObject({ code: 'ERR_LTX_COMPACTION' })
  })

  it('gives all of a result that is larger than a chunk', async () => {
    const pages = Object.fromEntries(
      Array.from({ length: 600 }, (_, index) => [index + 1, index % 256]),
    )
    const inputs = [await file(2n, 2n, 600, pages), await file(3n, 3n, 600, { 600: 7 })]
    const incompressible = await gather(
      encodeLtx(
        { pageSize: 4096, commit: 40, minTxid: 2n, maxTxid: 2n, timestamp: 0n },
        Array.from({ length: 40 }, (_, index) => ({
          number: index + 1,
          data: pageData(`s:${index}`, 4096),
        })),
      ),
    )
    expect(await compacted(...inputs)).toEqual({ ...pages, 600: 7 })
    const chunks = []
    for await (const chunk of compactLtx([incompressible])) chunks.push(chunk)
    expect(chunks.length).toBeGreaterThan(1)
    const { content } = await read(chunks)
    expect(content.map(({ number }) => number)).toEqual(content.map((_, index) => index + 1))
    expect(content).toHaveLength(40)
  })

  it('tells all its sources that no more is wanted, however it ends', async () => {
    const ended: string[] = []
    const source = (name: string, bytes: Buffer) => ({
      *[Symbol.iterator]() {
        try {
          for (let at = 0; at < bytes.length; at += 50) yield bytes.subarray(at, at + 50)
        } finally {
          ended.push(name)
        }
      },
    })
    const [first, second] = [await file(2n, 2n, 9, { 1: 10 }), await file(4n, 4n, 9, { 2: 20 })]
    const sources = () => [source('first', first), source('second', second)]
    await expect(gather(compactLtx(sources()))).rejects.toThrow('does not follow')
    expect(ended.toSorted()).toEqual(['first', 'second'])
    ended.length = 0
    const compaction = compactLtx([source('first', first), source('second', first)])
    await expect(gather(compaction)).rejects.toThrow(
      '0000000000000002-0000000000000002.ltx does not follow 0000000000000002-0000000000000002.ltx',
    )
    expect(ended).toHaveLength(2)
  })

  it('gives no end if an input is damaged, however late', async () => {
    const damaged = await file(3n, 3n, 9, { 2: 20 })
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
    const inputs = [await file(2n, 2n, 9, { 1: 10 }), damaged]
    await expect(gather(compactLtx(inputs))).rejects.toMatchObject({ code: 'ERR_LTX_CHECKSUM' })
  })

  it('does not make a snapshot that lacks pages', async () => {
    const inputs = [await file(1n, 1n, 2, { 1: 10, 2: 20 }), await file(2n, 2n, 4, { 4: 40 })]
    await expect(gather(compactLtx(inputs))).rejects.toMatchObject({ code: 'ERR_LTX_PAGE_ORDER' })
  })
})
