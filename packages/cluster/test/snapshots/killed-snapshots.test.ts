import { temporaryDirectory } from '@howdah/fixtures'
import { killedInTime, newest, Worker } from '@howdah/postgres-fixtures'
import { savedDatabases } from '@howdah/snapshot'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

const home = temporaryDirectory()
const cluster = new Cluster(home.file('data'), newest)
let session: Session

beforeAll(async () => {
  session = await cluster.run({ mode: 'fast' })
  await session.createDatabase('app')
  await write('CREATE TABLE kept (n int); INSERT INTO kept VALUES (0)')
})
afterAll(async () => {
  await session.leave()
  await cluster.destroy({ force: true })
  home[Symbol.dispose]()
})

async function write(text: string): Promise<unknown[]> {
  const client = await session.connect('app')
  try {
    return (await client.query<{ n: number }>(text)).rows?.map(({ n }) => n) ?? []
  } finally {
    await client.end()
  }
}

/** Waits until the server has ended the sessions of a killed process. */
async function untilAlone(): Promise<void> {
  const client = await session.connect('postgres')
  try {
    for (;;) {
      const { rowCount } = await client.query(
        `SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
      if (rowCount === 0) return
    }
  } finally {
    await client.end()
  }
}

const unfinished = async () =>
  await write(`SELECT datname AS n FROM pg_database WHERE datname LIKE 'howdah-unfinished-%'`)

it(
  'a process that is killed while it saves leaves the old snapshot or the new one',
  { timeout: 120_000 },
  async () => {
    await session.snapshots.save('kept', { database: 'app' })
    const options = { database: 'app', replace: true }
    let before = (await session.snapshots.list())[0]?.at.getTime() ?? 0
    await killedInTime(
      5,
      () => new Worker('saveSnapshot', cluster.dataDir, newest, options, { tells: true }),
      async () => {
        await untilAlone()
        const found = await session.snapshots.list()
        expect(found).toHaveLength(1)
        const at = found[0]?.at.getTime() ?? 0
        expect(at).toBeGreaterThanOrEqual(before)
        before = at
        expect(await unfinished()).toEqual([])
      },
    )
  },
)

it(
  'a process that is killed while it restores leaves the old content or that of the snapshot, and the old one is saved',
  { timeout: 120_000 },
  async () => {
    await write('UPDATE kept SET n = 1')
    await session.snapshots.save('kept', { database: 'app', replace: true })
    await write('UPDATE kept SET n = 2')
    const options = { database: 'app' }
    let saved = 0
    await killedInTime(
      5,
      () => new Worker('restoreSnapshot', cluster.dataDir, newest, options, { tells: true }),
      async () => {
        await untilAlone()
        await session.snapshots.list()
        expect(await unfinished()).toEqual([])
        const [n] = await write('SELECT n FROM kept')
        const all = await savedDatabases(session)
        expect([n, all.length]).toEqual(n === 1 ? [1, saved + 1] : [2, saved])
        saved = all.length
        await write('UPDATE kept SET n = 2')
      },
    )
  },
)

it(
  'a crash of the server leaves a database as it was or restored',
  { timeout: 120_000 },
  async () => {
    for (const delay of [0, 1, 2]) {
      await write('UPDATE kept SET n = 2')
      const restoring = session.snapshots
        .restore('kept', { database: 'app', save: false })
        .catch(() => null)
      // Some queries later.
      for (let query = 0; query < delay * 5; query += 1) await session.databases()
      await session.crash()
      const restored = await restoring
      await session.restart()
      await session.snapshots.list()
      expect(await unfinished()).toEqual([])
      const [n] = await write('SELECT n FROM kept')
      expect(restored === null ? [1, 2] : [1]).toContain(n)
      expect(await session.snapshots.list()).toMatchObject([{ name: 'kept' }])
    }
  },
)
