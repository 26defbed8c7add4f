import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createFileLeaser, hold, type Leaser } from '@howdah/lease'
import { createEtcdLeaser } from '@howdah/lease/etcd'
import { createPostgresLeaser } from '@howdah/lease/postgres'
import { createS3Leaser } from '@howdah/lease/s3'
import { S3Client } from '@aws-sdk/client-s3'
import { temporaryDirectory } from '@howdah/fixtures'
import lockfile from 'proper-lockfile'
import { afterAll, describe, expect, test } from 'vitest'
import { EtcdCluster, whyNoEtcd } from '../test/etcd-cluster.ts'
import { startPostgres } from '../test/postgres-server.ts'
import { S3Server } from '../test/s3-server.ts'

const rounds = 200
const handOvers = 20

interface Row {
  readonly [column: string]: string | number
}
const rows: Row[] = []
afterAll(() => console.table(rows))

/** The median and the 95th percentile, in ms. */
function summary(times: number[]): string {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)
  return `${at(0.5)} (${at(0.95)})`
}

async function timed(times: number[], action: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  await action()
  times.push(performance.now() - start)
}

/** Two leasers of one lease. */
async function measure(backend: string, open: (name: string) => Promise<Leaser>): Promise<void> {
  const name = randomUUID()
  const [leaser, other] = [await open(name), await open(name)]
  await leaser.inspect()
  await other.inspect()
  const times = { acquire: [], renew: [], release: [], handOver: [] } as Record<string, number[]>
  for (let round = 0; round < rounds; round++) {
    let lease!: Awaited<ReturnType<Leaser['acquire']>>
    await timed(times['acquire']!, async () => (lease = await leaser.acquire()))
    await timed(times['renew']!, async () => (lease = await leaser.renew(lease)))
    await timed(times['release']!, () => leaser.release(lease))
  }
  for (let round = 0; round < handOvers; round++) {
    const first = await hold(leaser)
    const waiting = hold(other, { pollInterval: 50 })
    // So that the other is somewhere in its waiting.
    await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 50))
    await timed(times['handOver']!, async () => {
      await first.release()
      await waiting
    })
    await (await waiting).release()
  }
  rows.push({
    'ms: median (95 %)': backend,
    acquire: summary(times['acquire']!),
    renew: summary(times['renew']!),
    release: summary(times['release']!),
    'hand-over, asked for every 50 ms': summary(times['handOver']!),
  })
}

describe('latency of leases', () => {
  test('in a directory', async () => {
    using directory = temporaryDirectory()
    await measure('file', async () => createFileLeaser({ dir: directory.path }))
    expect(rows).not.toHaveLength(0)
  })

  test('in an S3 of this process', async () => {
    await using server = await S3Server.start()
    const client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    })
    await measure('s3', (path) => createS3Leaser({ client, bucket: 'leases', path }))
    expect(server.requests).not.toHaveLength(0)
  })

  test.skipIf(whyNoEtcd !== null)('in an etcd of three members', async () => {
    await using cluster = await EtcdCluster.start()
    const { endpoints } = cluster
    await measure('etcd', async (key) => createEtcdLeaser({ endpoints, key }))
    expect(endpoints).toHaveLength(3)
  })

  test('in PostgreSQL', async () => {
    await using server = await startPostgres()
    const pool = await server.session.pool()
    await measure('postgres', (name) => createPostgresLeaser({ name, pool }))
    await pool.end()
    expect(pool.ended).toBe(true)
  })
})

describe('throughput', () => {
  test.each([1, 8])(
    'of %i contenders in a directory, next to proper-lockfile',
    async (contenders) => {
      using directory = temporaryDirectory()
      const duration = 3_000
      const count = async (cycle: () => Promise<boolean>) => {
        let cycles = 0
        const end = performance.now() + duration
        await Promise.all(
          Array.from({ length: contenders }, async () => {
            while (performance.now() < end) {
              if (await cycle()) cycles++
              else await new Promise((resolve) => setTimeout(resolve, 1))
            }
          }),
        )
        return Math.round(cycles / (duration / 1_000))
      }
      const leaser = createFileLeaser({ dir: directory.path })
      const ours = await count(async () => {
        const lease = await leaser.acquire().catch(() => null)
        if (lease === null) return false
        await leaser.release(lease)
        return true
      })
      const path = directory.file('locked')
      writeFileSync(path, '')
      const theirs = await count(async () => {
        const release = await lockfile.lock(path).catch(() => null)
        if (release === null) return false
        await release()
        return true
      })
      console.table([
        {
          contenders,
          'cycles a second': ours,
          what: 'lease, synced to the disk, with a generation',
        },
        {
          contenders,
          'cycles a second': theirs,
          what: 'proper-lockfile, mkdir without sync or generation',
        },
      ])
      expect(ours).toBeGreaterThan(0)
    },
  )
})
