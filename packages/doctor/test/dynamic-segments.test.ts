import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { linuxOnly, needsProgram, temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { abandonedSegments } from '@howdah/data-directory'
import { Cluster } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

/** As a server's control segment begins: its magic number, and then its items. */
const control = (...numbers: number[]) =>
  Buffer.from(Uint32Array.of(0x9a503d32, numbers.length, 64, 0, ...numbers).buffer)

const python = `
import mmap, sys
file = open(sys.argv[1], "r+b")
memory = mmap.mmap(file.fileno(), 0)
print("mapped", flush=True)
sys.stdin.read()
`

const memory = linuxOnly('/dev/shm, and /proc, which tells who maps a file')

it(
  'finds what no process maps, and no control segment of one that lives has',
  { skip: memory.skip || needsProgram('python3').skip },
  async () => {
    using place = temporaryDirectory()
    const segment = (number: number, content: Buffer) => {
      const path = place.file(`PostgreSQL.${number}`)
      writeFileSync(path, content, { mode: 0o600 })
      return path
    }
    const live = segment(1000, control(2000))
    segment(2000, Buffer.alloc(4096))
    const abandonedControl = segment(3000, control(4000))
    const abandoned = segment(4000, Buffer.alloc(8192))
    writeFileSync(place.file('PostgreSQL.x'), 'not of a server')
    const mapper = spawn('python3', ['-c', python, live])
    try {
      await once(mapper.stdout, 'data')
      const found = await abandonedSegments(place.path)
      expect(found.map(({ path }) => path).toSorted()).toEqual([abandonedControl, abandoned])
      expect(found.find(({ path }) => path === abandoned)).toMatchObject({
        size: 8192,
        uid: process.getuid?.(),
      })
    } finally {
      mapper.stdin.end()
      await once(mapper, 'close')
    }
  },
)

it('finds nothing of a server that runs', memory, async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await using session = await cluster.run()
  const status = await cluster.status()
  const maps = readFileSync(`/proc/${status.state === 'running' ? status.pid : 0}/maps`, 'utf8')
  const own = maps.match(/\/dev\/shm\/PostgreSQL\.\d+/g) ?? []
  expect(own.length).toBeGreaterThan(0)
  const abandoned = new Set((await abandonedSegments('/dev/shm')).map(({ path }) => path))
  expect(own.filter((path) => abandoned.has(path))).toEqual([])
  expect(session.started).toBe('modified')
})
