import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { LtxDecoder, compactLtx, encodeLtx, verifyLtx } from '../src/index.ts'
import { gather } from './support/read.ts'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

describe("the README's example", () => {
  it('runs', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('snapshot.ltx')
    const increment = await gather(
      encodeLtx({ pageSize: 4096, commit: 1, minTxid: 2n, maxTxid: 2n, timestamp: 0n }, []),
    )
    const write = (page: { number: number }): number => seen.push(page.number)
    const seen: number[] = []
    // README {
    const header = { pageSize: 4096, commit: 1, minTxid: 1n, maxTxid: 1n, timestamp: 1_000n }
    const pages = [{ number: 1, data: Buffer.alloc(4096) }]
    await pipeline(encodeLtx(header, pages), createWriteStream(path))

    await using decoder = await LtxDecoder.open(createReadStream(path))
    for await (const page of decoder.pages()) write(page)

    const merged = compactLtx([createReadStream(path), increment])
    const { header: result } = await verifyLtx(merged)
    // }
    expect(seen).toEqual([1])
    expect(result).toMatchObject({ minTxid: 1n, maxTxid: 2n })
  })

  it('is what runs here', () => {
    const here = /\/\/ README \{\n(.*?)\n +\/\/ \}/s.exec(read('readme.test.ts'))?.[1]
    const lines = here?.split('\n').map((line) => line.slice(4)) ?? []
    expect(lines.length).toBeGreaterThan(5)
    expect(read('../README.md')).toContain(lines.join('\n'))
  })
})
