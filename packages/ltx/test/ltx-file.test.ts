import { createWriteStream, readdirSync, readlinkSync } from 'node:fs'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { LtxError, LtxFile, encodeLtx } from '../src/index.ts'
import { knownFile, knownFiles } from './support/known-files.ts'
import { read } from './support/read.ts'

function* everyThirdPage(): Generator<{ number: number; data: Buffer }> {
  for (let number = 3; number <= 90_000; number += 3) {
    yield { number, data: Buffer.alloc(4096, `page ${number} `) }
  }
}

describe('a file that is open for random access', () => {
  it.for(knownFiles.filter((name) => !name.startsWith('legacy-v2')))(
    'gives every page by its number, as reading all of it does: %s',
    async (name) => {
      using directory = temporaryDirectory()
      const path = directory.file('one.ltx')
      await writeFile(path, knownFile(name))
      const whole = await read(knownFile(name))
      await using file = await LtxFile.open(path)
      expect(file.header).toEqual(whole.header)
      expect(file.trailer).toEqual(whole.trailer)
      expect(file.pageCount).toBe(whole.pages)
      expect([...file.locations()]).toEqual(
        whole.content.map(({ number, offset, size }) => ({ number, offset, size })),
      )
      for (const { number, data } of whole.content.toReversed()) {
        expect((await file.page(number))?.equals(data)).toBe(true)
      }
      expect(await file.page(77)).toBeNull()
      expect(file.location(77)).toBeNull()
    },
  )

  it('reads one page of many without reading the others', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('many.ltx')
    const header = { pageSize: 4096, commit: 90_000, minTxid: 2n, maxTxid: 2n, timestamp: 0n }
    await pipeline(encodeLtx(header, everyThirdPage()), createWriteStream(path))
    await using file = await LtxFile.open(path)
    expect(file.pageCount).toBe(30_000)
    const last = file.location(90_000)
    const handle = await open(path, 'r+')
    await handle.write(Buffer.alloc(50), 0, 50, file.location(3)?.offset)
    await handle.close()
    expect((await file.page(90_000))?.toString('latin1', 0, 10)).toBe('page 90000')
    expect(last?.offset).toBeGreaterThan(1_000_000)
    await expect(file.page(3)).rejects.toBeInstanceOf(LtxError)
  })

  it('opens by a handle, and leaves the handle open', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('one.ltx')
    await writeFile(path, knownFile('snap-1024-2'))
    const handle = await open(path)
    const file = await LtxFile.open(handle)
    await file.close()
    expect((await handle.stat()).size).toBe(210)
    await handle.close()
  })

  it('says what is wrong if there is no file, an empty one, or another', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('one.ltx')
    await expect(LtxFile.open(path)).rejects.toMatchObject({
      code: 'ERR_LTX_IO',
      cause: { code: 'ENOENT' },
    })
    await writeFile(path, '')
    await expect(LtxFile.open(path)).rejects.toMatchObject({ code: 'ERR_LTX_TRUNCATED' })
    await writeFile(path, 'something else'.repeat(20))
    await expect(LtxFile.open(path)).rejects.toMatchObject({ code: 'ERR_LTX_MAGIC' })
  })

  it.for(['first', 'last'] as const)(
    'is refused if its index leaves the %s page out',
    async (which) => {
      using directory = temporaryDirectory()
      const path = directory.file('short-index.ltx')
      const header = { pageSize: 512, commit: 9, minTxid: 2n, maxTxid: 2n, timestamp: 0n }
      const pages = [3, 5, 8].map((number) => ({ number, data: Buffer.alloc(512, number) }))
      await pipeline(encodeLtx(header, pages), createWriteStream(path))
      const bytes = await readFile(path)
      const trailer = bytes.subarray(-16)
      const size = Number(bytes.readBigUInt64BE(bytes.length - 24))
      const start = bytes.length - 24 - size
      const index = bytes.subarray(start, start + size - 1)
      const entries = entriesOf(index)
      expect(entries).toHaveLength(3)
      const kept = Buffer.concat([
        ...(which === 'first' ? entries.slice(1) : entries.slice(0, -1)),
        Buffer.of(0),
      ])
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(kept.length))
      await writeFile(path, Buffer.concat([bytes.subarray(0, start), kept, length, trailer]))
      await expect(LtxFile.open(path)).rejects.toMatchObject({ code: 'ERR_LTX_INDEX' })
    },
  )

  it(
    'is refused, or gives the right pages, whatever is damaged',
    { tags: 'property' },
    async () => {
      using directory = temporaryDirectory()
      const path = directory.file('damaged.ltx')
      const random = seededRandom(7)
      const original = knownFile('cmp-a')
      const { content } = await read(original)
      // Beyond the pages' data, which the file checksum alone guards.
      const guarded = [0, 4, 8, 12, 100, 136, 172, ...Array.from({ length: 42 }, (_, k) => 208 + k)]
      const right = content.map((page) => page.data.toString('hex'))
      let [refused, wrong] = [0, 0]
      const rounds = times(400, 10_000)
      for (let round = 0; round < rounds; round++) {
        const at = random.pick(guarded)
        const damaged = Buffer.from(original)
        damaged.set(random.bytes(1 + random.below(4)), Math.min(at, damaged.length - 4))
        await writeFile(path, random.below(4) === 0 ? damaged.subarray(0, at) : damaged)
        try {
          await using file = await LtxFile.open(path)
          for (const [index, { number }] of content.entries()) {
            const page = await file.page(number)
            if (page !== null && page.toString('hex') !== right[index]) wrong++
          }
        } catch (error) {
          if (!(error instanceof LtxError)) throw error
          refused++
        }
      }
      expect(wrong).toBe(0)
      expect(refused).toBeGreaterThan(rounds / 4)
    },
  )
})

/** The entries of a page index: three unsigned varints each. */
function entriesOf(index: Buffer): Buffer[] {
  const entries: Buffer[] = []
  let from = 0
  let varints = 0
  for (const [at, byte] of index.entries()) {
    if (byte < 0x80 && ++varints % 3 === 0) {
      entries.push(index.subarray(from, at + 1))
      from = at + 1
    }
  }
  return entries
}

describe('a file', () => {
  const header = { pageSize: 512, commit: 9, minTxid: 2n, maxTxid: 2n, timestamp: 0n }
  const numbers = [3, 5, 8]
  const page = (number: number) => ({ number, data: Buffer.alloc(512, number) })

  /** A file of some pages at a path of its own. */
  async function written(path: string, pages = numbers): Promise<Buffer> {
    await pipeline(encodeLtx(header, pages.map(page)), createWriteStream(path))
    return await readFile(path)
  }

  it('may have no pages; one that is a byte shorter is none', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('none.ltx')
    const bytes = await written(path, [])
    await using file = await LtxFile.open(path)
    expect([file.pageCount, await file.page(1)]).toEqual([0, null])
    await writeFile(path, bytes.subarray(0, -1))
    await expect(LtxFile.open(path)).rejects.toMatchObject({
      code: 'ERR_LTX_TRUNCATED',
      offset: bytes.length - 1,
    })
  })

  it.for([
    ['0 bytes', 0n],
    ['a byte more than there is room for', null],
    ['more than there is', 1n << 40n],
  ] as const)('whose index is said to have %s is refused', async ([, length]) => {
    using directory = temporaryDirectory()
    const path = directory.file('odd.ltx')
    const bytes = await written(path)
    const room = BigInt(bytes.length - 24 - 100 - 6)
    bytes.writeBigUInt64BE(length ?? room + 1n, bytes.length - 24)
    await writeFile(path, bytes)
    await expect(LtxFile.open(path)).rejects.toMatchObject({
      code: 'ERR_LTX_INDEX',
      offset: bytes.length - 24,
    })
  })

  it('that has another page where the index says is refused at that page', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('swapped.ltx')
    const bytes = await written(path)
    bytes.writeUInt32BE(4, 100)
    await writeFile(path, bytes)
    await using file = await LtxFile.open(path)
    await expect(file.page(3)).rejects.toMatchObject({ code: 'ERR_LTX_INDEX', offset: 100 })
    expect((await file.page(5))?.[0]).toBe(5)
  })

  it('whose page is shorter than the index says is refused at that page', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('short-page.ltx')
    const bytes = await written(path)
    // The size of the page's LZ4 block.
    bytes.writeUInt32BE(bytes.readUInt32BE(106) - 1, 106)
    await writeFile(path, bytes)
    await using file = await LtxFile.open(path)
    await expect(file.page(3)).rejects.toBeInstanceOf(LtxError)
  })

  it('that becomes shorter while it is open is refused', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('shrinking.ltx')
    await written(path)
    await using file = await LtxFile.open(path)
    await truncate(path, 120)
    const { offset } = file.location(8) ?? { offset: 0 }
    await expect(file.page(8)).rejects.toMatchObject({ code: 'ERR_LTX_TRUNCATED', offset })
  })

  it('whose trailer is damaged is refused there', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('trailer.ltx')
    const bytes = await written(path)
    bytes.subarray(-8).fill(0)
    await writeFile(path, bytes)
    await expect(LtxFile.open(path)).rejects.toMatchObject({
      code: 'ERR_LTX_TRAILER',
      offset: bytes.length - 8,
    })
  })

  it('is read to the end if the system gives less at a time than was asked for', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pieces.ltx')
    await written(path)
    await using handle = await open(path)
    const whole = handle.read.bind(handle) as (...words: unknown[]) => unknown
    const short = (to: Buffer, at: number, length: number, from: number): unknown =>
      whole(to, at, Math.min(length, 7), from)
    handle.read = short as typeof handle.read
    const file = await LtxFile.open(handle)
    expect((await file.page(5))?.equals(page(5).data)).toBe(true)
    const { offset } = file.location(8) ?? { offset: 0 }
    await truncate(path, offset + 10)
    await expect(file.page(8)).rejects.toMatchObject({
      code: 'ERR_LTX_TRUNCATED',
      offset: offset + 10,
    })
  })

  it('that is refused, or closed, is not open any more', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux tells what is open')
    using directory = temporaryDirectory()
    const path = directory.file('one.ltx')
    const bytes = await written(path)
    const file = await LtxFile.open(path)
    expect(openBelow(directory.path)).toBe(1)
    await file.close()
    await file.close()
    expect(openBelow(directory.path)).toBe(0)
    {
      await using disposed = await LtxFile.open(path)
      expect([disposed.pageCount, openBelow(directory.path)]).toEqual([3, 1])
    }
    expect(openBelow(directory.path)).toBe(0)
    await writeFile(path, bytes.subarray(0, -1))
    await expect(LtxFile.open(path)).rejects.toBeInstanceOf(LtxError)
    expect(openBelow(directory.path)).toBe(0)
    await using handle = await open(path)
    await expect(LtxFile.open(handle)).rejects.toBeInstanceOf(LtxError)
    expect(openBelow(directory.path), 'a handle stays open').toBe(1)
  })
})

/** How many files below a directory this process has open. */
function openBelow(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
    } catch {
      return false
    }
  }).length
}
