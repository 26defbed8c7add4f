import { backUpCluster, restoreCluster } from '../src/index.ts'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DataDirectory } from '@howdah/data-directory'
import { temporaryDirectory, until as waitUntil } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import type { RecoveryTarget, Restored } from '../src/index.ts'
import {
  isLeft,
  newest,
  postmastersOf,
  readRows,
  type SharedMemory,
  somePostgres,
  Writer,
  type Written,
} from '@howdah/postgres-fixtures'

const { strategy } = newest
/** In ms: many restores on each of ten PostgreSQLs at once take their time on a busy machine. */
const patience = 300_000

it.concurrent.each(somePostgres)(
  'restores $name to exactly what was committed before a time, a transaction, a named point or an LSN',
  async ({ strategy: each }) => {
    using home = temporaryDirectory()
    const from = home.file('backups')
    const cluster = new Cluster(home.file('data'), { strategy: each })
    const rows: Written[] = []
    let during: Written
    let named = 0
    {
      await using session = await cluster.run()
      const writer = await Writer.on(session)
      await writer.write()
      await session.leave()
      await backUpCluster(cluster, { into: from })
    }
    {
      await using session = await cluster.run()
      const writer = await Writer.on(session, 2)
      await writer.write()
      writer.start()
      const { endedAt } = await backUpCluster(cluster, { into: from })
      await writer.stop()
      during = writer.rows.findLast(({ time }) => new Date(time) < endedAt)!
      for (let more = 0; more < 10; more += 1) await writer.write()
      // Of two with the same name it is the second.
      for (const _ of [1, 2]) {
        await session.createRestorePoint("it's a point")
        named = (await writer.write()).n - 1
      }
      for (let more = 0; more < 10; more += 1) await writer.write()
      rows.push(...writer.rows)
    }
    const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1)
    const restored = async (until: RecoveryTarget): Promise<[Restored, number[]]> => {
      const other = new Cluster(home.file('other'), { strategy: each })
      const result = await restoreCluster(other, { from, until })
      await using session = await other.run({ ifExists: true, atEnd: 'destroy' })
      return [result, await readRows(session)]
    }
    const row = rows.at(-15)!
    const last = await restored({ time: row.time })
    expect(last).toEqual([
      expect.objectContaining({ backup: expect.objectContaining({ number: 2 }) }),
      upTo(row.n),
    ])
    // What was committed while a backup was made comes from the one before.
    expect(await restored({ transaction: during.transaction })).toEqual([
      expect.objectContaining({ backup: expect.objectContaining({ number: 1 }) }),
      upTo(during.n),
    ])
    expect((await restored({ transaction: row.transaction, exclusive: true }))[1]).toEqual(
      upTo(row.n - 1),
    )
    expect((await restored({ lsn: row.lsn }))[1]).toEqual(upTo(row.n))
    expect((await restored({ name: "it's a point" }))[1]).toEqual(upTo(named))
    await expect(restored({ transaction: rows.at(-1)!.transaction + 1000n })).rejects.toMatchObject(
      {
        code: 'ERR_CLUSTER_TARGET_NOT_REACHED',
        lsn: expect.stringMatching(/^[\dA-F]+\/[\dA-F]+$/),
        lastTransaction: expect.stringMatching(/^\d{4}-/),
      },
    )
    expect(existsSync(home.file('other', 'PG_VERSION'))).toBe(false)
  },
  patience,
)

it('refuses a point that no backup leads to, and what is no point', async () => {
  using home = temporaryDirectory()
  const from = home.file('backups')
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
  const { startLsn } = await backUpCluster(cluster, { into: from })
  const other = new Cluster(home.file('other'), { strategy })
  for (const [until, message] of [
    [{ time: new Date('2020-01-01') }, /backup 1 ended at 2.*, which is later/],
    [{ lsn: startLsn }, /backup 1 ended at LSN .*, which is later/],
    [{ transaction: 3 }, /backup 1 ended when that transaction had ended already/],
    [{ name: 'nowhere' }, /backup 1 has no restore point "nowhere" after it/],
  ] as const) {
    await expect(restoreCluster(other, { from, until })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NO_BACKUP',
      message: expect.stringMatching(message),
    })
  }
  for (const until of [
    { time: '2026-03-01' },
    { time: '2026-02-31T00:00:00Z' },
    { time: new Date('never') },
    { lsn: '12' },
    { transaction: -1 },
    { transaction: 0.5 },
    { name: '' },
  ]) {
    await expect(restoreCluster(other, { from, until })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_INVALID_TARGET',
    })
  }
  await expect(restoreCluster(other, { from, timeline: 7 })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_NO_BACKUP',
    message: expect.stringContaining('none leads to timeline 7'),
  })
  expect(existsSync(other.dataDir)).toBe(false)
})

it(
  'follows the timelines that come of a restore, and of the original that goes on',
  async () => {
    using home = temporaryDirectory()
    const from = home.file('backups')
    const original = new Cluster(home.file('data'), { strategy })
    {
      await using session = await original.run()
      await (await Writer.on(session)).write()
      await session.leave()
    }
    await backUpCluster(original, { into: from })
    const write = async (cluster: Cluster, n: number) => {
      await using session = await cluster.run({ ifExists: true })
      await (await Writer.on(session, n)).write()
    }
    const copy = new Cluster(home.file('copy'), { strategy })
    await restoreCluster(copy, { from })
    await write(copy, 2)
    // Both archive into the same place, each on a timeline of its own.
    expect(await backUpCluster(copy, { into: from })).toMatchObject({ number: 2, timeline: 2 })
    await write(original, 3)
    expect(await backUpCluster(original, { into: from })).toMatchObject({ number: 3, timeline: 1 })
    for (const [options, rows] of [
      [{}, [1, 3]],
      [{ backup: 2 }, [1, 2]],
      [{ backup: 1 }, [1, 2]],
      [{ backup: 1, timeline: 1 }, [1, 3]],
    ] as const) {
      const other = new Cluster(home.file('other'), { strategy })
      await restoreCluster(other, { from, ...options })
      await using session = await other.run({ atEnd: 'destroy' })
      expect(await readRows(session)).toEqual(rows)
    }
    // In another place, where nothing tells of the first timeline.
    rmSync(from, { recursive: true })
    await backUpCluster(copy, { into: home.file('elsewhere') })
    const other = new Cluster(home.file('other'), { strategy })
    await restoreCluster(other, { from: home.file('elsewhere') })
    await using session = await other.run()
    expect(await readRows(session)).toEqual([1, 2])
  },
  patience,
)

it('does not take a gap in the WAL for its end', async () => {
  using home = temporaryDirectory()
  const from = home.file('backups')
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
  await backUpCluster(cluster, { into: from })
  const rows: Written[] = []
  {
    await using session = await cluster.run()
    const writer = await Writer.on(session)
    for (const name of ['one', 'two', 'three']) {
      await writer.write()
      await writer.write()
      await session.createRestorePoint(name)
    }
    rows.push(...writer.rows)
  }
  const segments = readdirSync(home.file('backups', 'wal')).filter((name) =>
    /^[\dA-F]{24}$/.test(name),
  )
  const doomed = segments.toSorted().at(-2)!
  rmSync(home.file('backups', 'wal', doomed))
  const other = new Cluster(home.file('other'), { strategy })
  await expect(restoreCluster(other, { from })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_NO_BACKUP',
    message: expect.stringContaining(`lacks the WAL file ${doomed}`),
  })
  await expect(
    restoreCluster(other, { from, until: { time: rows.at(-1)!.time } }),
  ).rejects.toMatchObject({
    code: 'ERR_CLUSTER_TARGET_NOT_REACHED',
    message: expect.stringContaining(`lacks the WAL file ${doomed}`),
  })
  // What is before it can still be restored.
  await restoreCluster(other, { from, until: { transaction: rows[1]!.transaction } })
  await using session = await other.run()
  expect(await readRows(session)).toEqual([1, 2])
})

it('loses nothing of a server that was killed after it had recovered, and leaves no shared memory of it', async () => {
  using home = temporaryDirectory()
  const from = home.file('backups')
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
  // A server stands still once it has recovered.
  const killed = home.file('killed')
  const standing = `recovery_end_command = 'until [ -e "${killed}" ]; do sleep 0.01; done'\n`
  appendFileSync(join(cluster.dataDir, 'postgresql.conf'), standing)
  await backUpCluster(cluster, { into: from })
  {
    await using session = await cluster.run()
    const writer = await Writer.on(session)
    const client = await session.connect()
    for (let row = 1; row <= 3; row += 1) {
      await writer.write()
      await client.query('SELECT pg_switch_wal()')
    }
  }
  const other = new Cluster(home.file('other'), { strategy })
  const kill = async (): Promise<SharedMemory> => {
    const server = await waitUntil('a server has recovered', () => {
      const recovered = (staging: string) => /archive recovery complete/.test(logOf(staging))
      return postmastersOf(stagingsIn(other.dataDir).filter(recovered))[0]
    })
    process.kill(server.pid, 'SIGKILL')
    writeFileSync(killed, '')
    return server
  }
  const [held] = await Promise.all([kill(), restoreCluster(other, { from })])
  expect(isLeft(held)).toBe(false)
  await using session = await other.run()
  expect(await readRows(session)).toEqual([1, 2, 3])
})

function stagingsIn(dataDir: string): string[] {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : []
  return names.filter((name) => name.startsWith('howdah.')).map((name) => join(dataDir, name))
}

function logOf(dataDir: string): string {
  const { logFile } = new DataDirectory(dataDir)
  return existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
}
