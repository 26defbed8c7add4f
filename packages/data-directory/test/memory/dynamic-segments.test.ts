// @vitest-environment-options { "alone": "memory/dynamic-segments" }
import { rmSync, writeFileSync } from 'node:fs'
import {
  linuxOnly,
  needsProgram,
  temporaryDirectory,
  type TemporaryDirectory,
} from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { abandonedSegments } from '../../src/memory/dynamic-segments.ts'
import { SegmentMaker } from '../support/segment-maker.ts'

/** Called with a path after it was read. */
let afterReading: ((path: string) => Promise<void>) | null = null

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>()
  const watching =
    (read: (path: string, ...rest: unknown[]) => Promise<unknown>) =>
    async (path: string, ...rest: unknown[]) => {
      const found = await read(path, ...rest)
      await afterReading?.(path)
      return found
    }
  return {
    ...real,
    readFile: watching(real.readFile as never),
    readdir: watching(real.readdir as never),
  }
})

/** As a server's control segment begins: its magic number, and then its items. */
const control = (...numbers: number[]) =>
  Buffer.from(Uint32Array.of(0x9a503d32, numbers.length, 64, 0, ...numbers).buffer)

let place: TemporaryDirectory

beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => {
  afterReading = null
  place[Symbol.dispose]()
})

function segment(number: number, content: Buffer = Buffer.alloc(4096)): string {
  const path = place.file(`PostgreSQL.${number}`)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

const paths = async () => (await abandonedSegments(place.path)).map(({ path }) => path)
const proc = linuxOnly('/proc, which tells who has a file')

describe(
  'a segment of a running server',
  { skip: proc.skip || needsProgram('python3').skip },
  () => {
    /** After how many looks into its maker the segment is mapped, and after how many it is listed and unmapped. */
    const schedules = [0, 1, 2, 3].flatMap((mapped) =>
      [0, 1, 2, 3].filter((listed) => listed >= mapped).map((listed) => ({ mapped, listed })),
    )

    it.each(schedules)(
      'is not abandoned while it is made: mapped after $mapped looks, listed and unmapped after $listed',
      async ({ mapped, listed }) => {
        const list = segment(1000, control(1))
        const made = segment(2000)
        using server = await SegmentMaker.open(list)
        await server.map()
        using maker = await SegmentMaker.open(made)
        const step = async (looks: number) => {
          if (looks === mapped) await maker.map()
          if (looks !== listed) return
          writeFileSync(list, control(1, 2000))
          await maker.unmap()
        }
        await step(0)
        let looks = 0
        afterReading = async (path) => {
          if (path.startsWith(`/proc/${maker.pid}/`)) await step(++looks)
        }
        expect(await paths()).toEqual([])
        afterReading = null
        await Promise.all([server.end(), maker.end()])
        expect((await paths()).toSorted()).toEqual([list, made])
      },
    )

    it('is unknown if its control segment was removed', async () => {
      const list = segment(1000, control(2000))
      segment(2000)
      using server = await SegmentMaker.open(list)
      await server.map()
      rmSync(list)
      await expect(abandonedSegments(place.path)).rejects.toMatchObject({
        code: 'ERR_CLUSTER_UNKNOWN_STATUS',
        message: expect.stringContaining(
          `${server.pid} uses a file there that was removed, ${list}`,
        ),
      })
    })

    it('is told from what no process maps, and no control segment of one that lives has', async () => {
      const list = segment(1000, control(2000))
      segment(2000)
      const lost = [segment(3000, control(4000)), segment(4000, Buffer.alloc(8192))]
      writeFileSync(place.file('PostgreSQL.x'), 'not of a server')
      using server = await SegmentMaker.open(list)
      await server.map()
      const found = await abandonedSegments(place.path)
      expect(found.map(({ path }) => path).toSorted()).toEqual(lost)
      expect(found.find(({ path }) => path === lost[1])).toMatchObject({
        size: 8192,
        uid: process.getuid?.(),
      })
    })
  },
)
