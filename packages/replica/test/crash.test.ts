import { existsSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom, temporaryDirectory, times, until } from '@howdah/fixtures'
import { LtxDecoder } from '@howdah/ltx'
import { describe, expect, it } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { Child } from './support/child.ts'
import { below, list } from './support/files.ts'

const name = '0000000000000001-0000000000000001.ltx'

/** The byte that the visible file is filled with, once it is found whole and of the right time; `null` for no file. */
async function visible(replica: FileReplica): Promise<number | null> {
  const path = replica.ltxFilePath(0, 1n, 1n)
  if (!existsSync(path)) return null
  const { mtimeNs } = statSync(path, { bigint: true })
  await using decoder = await LtxDecoder.open(await replica.openLtxFile(0, 1n, 1n))
  const first = await decoder.nextPage()
  const byte = Number(first?.data[0])
  const { header } = await decoder.finish()
  const time = 1_700_000_000_000n + BigInt(byte)
  if (header.timestamp !== time) throw new Error(`it says ${header.timestamp}`)
  // Another write may have come between, when others are writing.
  const again = statSync(path, { bigint: true }).mtimeNs
  if (again === mtimeNs && mtimeNs / 1_000_000n !== time) throw new Error(`its time is ${mtimeNs}`)
  return byte
}

describe('a write', () => {
  it(
    'that is killed at any instant leaves no visible file, or a complete one with its time',
    { tags: 'property' },
    async () => {
      const random = seededRandom(10)
      const seen = { none: 0, whole: 0, temporary: 0 }
      // It goes on until a write was killed in the middle.
      for (let round = 0; round < times(12, 200) || seen.temporary === 0; round++) {
        using directory = temporaryDirectory()
        const replica = new FileReplica(directory.path)
        await using child = new Child('repeat', replica.path, 1, 2_000, 100)
        await until(
          'it writes',
          () => existsSync(replica.ltxLevelDir(0)) && below(replica.ltxLevelDir(0))[0],
        )
        // Any instant will do: this is none that the test depends on.
        await pause(random.below(60))
        await child.kill()
        const byte = await visible(replica)
        const names = below(replica.ltxLevelDir(0))
        seen[byte === null ? 'none' : 'whole']++
        if (names.some((one) => one.endsWith('.tmp'))) seen.temporary++
        expect(names.every((one) => one.startsWith(name))).toBe(true)
        const listed = await list(replica.ltxFiles(0))
        expect(listed.length).toBe(byte === null ? 0 : 1)
        await replica.deleteAll()
        expect(below(directory.path)).toEqual([])
      }
    },
  )

  it('by eight processes to the same name leaves one whole file, at every instant', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const rounds = times(5, 25)
    const children = Array.from(
      { length: 8 },
      (_, index) => new Child('repeat', replica.path, 1 + index * rounds, 50, rounds),
    )
    const state = { running: true }
    const all = Promise.all(children.map((child) => child.success())).finally(() => {
      state.running = false
    })
    const bytes = new Set<number | null>()
    while (state.running) {
      bytes.add(await visible(replica))
      await new Promise(setImmediate)
    }
    await all
    const last = await visible(replica)
    expect(below(replica.ltxLevelDir(0))).toEqual([name])
    expect(last).toBeGreaterThanOrEqual(1)
    expect(bytes.size).toBeGreaterThan(1)
    const written = (await Promise.all(children.map((child) => child.output))).join('')
    expect(written.split('\n')).toContain(String(last))
  })
})

describe('a large database', () => {
  it('is written and restored in bounded memory, with progress', { timeout: 600_000 }, async () => {
    using directory = temporaryDirectory()
    const pages = times(16_384, 262_144)
    await using child = new Child(
      'restore',
      directory.file('replica'),
      pages,
      directory.file('a.db'),
    )
    await child.success()
    const { bytes, reports, memory } = JSON.parse(await child.output) as Record<string, number>
    expect(bytes).toBe(pages * 4096)
    expect(reports).toBeGreaterThan(pages / 2_000)
    // Of a small database, a Node that holds it whole is no larger; then only what the writer holds tells, which its own test does.
    const mebibytes = pages / 256
    expect(memory).toBeLessThan(mebibytes > 512 ? mebibytes / 2 : Infinity)
  })
})
