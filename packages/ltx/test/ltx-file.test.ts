import { createWriteStream } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
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
    await expect(LtxFile.open(path)).rejects.toMatchObject({ code: 'ERR_LTX_IO' })
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
