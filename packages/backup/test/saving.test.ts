import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Cluster, type Session } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { newest } from '@howdah/postgres-fixtures'
import { bringBackDatabase, saveDatabase, savedDatabases } from '@howdah/snapshot'
import { expect, it } from 'vitest'
import { SavedClusters } from '../src/index.ts'

const { strategy } = newest
const megabyte = 2 ** 20

it('of saved clusters, those are removed that are too large together; the newest is kept in any case', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  const save = async (megabytes: number, mostBytes: number): Promise<string> => {
    await cluster.create()
    appendFileSync(join(cluster.dataDir, 'filler'), Buffer.alloc(megabytes * megabyte, 1))
    const limited = new SavedClusters(cluster.dataDir, { mostBytes })
    return (await limited.keep(cluster, 'test')).id
  }
  const kept = () => new SavedClusters(cluster.dataDir).list().map(({ id }) => id)
  const first = await save(0, 500 * megabyte)
  const large = await save(200, 500 * megabyte)
  expect(kept()).toEqual([large, first])
  // What no longer fits goes, and not what is older and fits.
  const third = await save(0, 200 * megabyte)
  expect(kept()).toEqual([third, first])
  const last = await save(0, megabyte)
  expect(kept()).toEqual([last])
  expect(readdirSync(home.file('.howdah-saved'))).toEqual([last])
})

it('what another process finishes, after it was seen unfinished, is not removed', async () => {
  using home = temporaryDirectory()
  const saved = new SavedClusters(home.file('data'))
  const ids = ['20260101T000000-0001', '20260101T000000-0002', '20260101T000000-0003']
  const items = ids.map((id) => home.file('.howdah-saved', id))
  for (const item of items) mkdirSync(join(item, 'data'), { recursive: true })
  const expired = saved.expire()
  // It has seen them all, and asks now for the lock on the first one.
  for (const item of items.slice(1)) writeFileSync(join(item, 'data', 'PG_VERSION'), '18\n')
  await expired
  expect(items.map((item) => existsSync(join(item, 'data', 'PG_VERSION')))).toEqual([
    false,
    true,
    true,
  ])
})

it('a saved cluster is brought back or removed by one process at a time', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
  const places = new SavedClusters(cluster.dataDir)
  const saved = await places.keep(cluster, 'test')
  const lock = await acquire(dirname(saved.path))
  await places.remove(saved)
  await expect(places.bringBack(cluster, saved)).rejects.toThrow(/another process has it/)
  lock.release()
  await places.bringBack(cluster, saved)
  expect([await cluster.exists(), places.list()]).toEqual([true, []])
  await places.remove(saved)
  await expect(places.bringBack(cluster, saved)).rejects.toThrow(/is not saved any more/)
  expect(await cluster.exists()).toBe(true)
})

it('of saved databases, those are dropped that are too large together; the newest is kept in any case', async () => {
  using home = temporaryDirectory()
  await using session = await new Cluster(home.file('data'), { strategy }).run()
  const kept = async () => (await savedDatabases(session)).map(({ name }) => name)
  const save = async (name: string, megabytes: number, mostBytes: number): Promise<void> => {
    await session.createDatabase(name)
    await fill(session, name, megabytes)
    await saveDatabase(session, name, { mostBytes })
  }
  await save('first', 0, 500 * megabyte)
  await save('large', 40, 500 * megabyte)
  expect(await kept()).toEqual(['large', 'first'])
  await save('third', 0, 40 * megabyte)
  expect(await kept()).toEqual(['third', 'first'])
  await save('last', 0, megabyte)
  expect(await kept()).toEqual(['last'])
  // One that is brought back is not dropped for its size, though what is in its place is saved first.
  const [last] = await savedDatabases(session)
  if (last === undefined) throw new Error('nothing was saved')
  await session.createDatabase('last')
  await bringBackDatabase(session, last, { mostBytes: 1 })
  expect([(await session.databases()).includes('last'), await kept()]).toEqual([true, ['last']])
})

it('a cluster that is replaced is used until the new one is there, and stays if that fails', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  const saved = new SavedClusters(cluster.dataDir)
  await cluster.start()
  const failing = saved.replace(cluster, 'test', async (elsewhere) => {
    await elsewhere.create()
    expect(await cluster.running()).toBe(true)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await cluster.running()).toBe(true)
  expect(saved.list()).toEqual([])
  expect(readdirSync(home.file('.howdah-saved'))).toEqual([])
  const before = await cluster.superusers()
  await saved.replace(cluster, 'test', async (elsewhere) => await elsewhere.create())
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await cluster.superusers()).toEqual(before)
  expect(saved.list()).toHaveLength(1)
  await cluster.destroy()
})

it('what is put in place is not removed for its size, though it lay among what is kept', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
  const saved = new SavedClusters(cluster.dataDir, { mostBytes: 1 })
  await saved.replace(cluster, 'test', async (elsewhere) => await elsewhere.create())
  expect(await cluster.exists()).toBe(true)
  const [old] = saved.list()
  if (old === undefined) throw new Error('nothing was saved')
  await saved.bringBack(cluster, old)
  expect([await cluster.exists(), saved.list().length]).toEqual([true, 1])
})

it('a cluster in use is not replaced, and nothing is made for it', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  const saved = new SavedClusters(cluster.dataDir)
  {
    await using _ = await cluster.run()
    const replacing = saved.replace(cluster, 'test', () => {
      throw new Error('made all the same')
    })
    await expect(replacing).rejects.toMatchObject({ code: 'ERR_CLUSTER_IN_USE' })
  }
  expect(existsSync(home.file('.howdah-saved'))).toBe(false)
})

it('what a link leads to is replaced there, and brought back there', async () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('elsewhere'), { mode: 0o700 })
  symlinkSync('elsewhere', home.file('data'))
  const cluster = new Cluster(home.file('data'), { strategy })
  {
    await using session = await cluster.run()
    await session.createDatabase('old')
  }
  const saved = new SavedClusters(cluster.dataDir)
  await saved.replace(cluster, 'test', async (elsewhere) => await elsewhere.create())
  const databases = async () => {
    await using session = await cluster.run({ ifExists: true })
    return await session.databases()
  }
  expect(await databases()).not.toContain('old')
  const [found] = saved.list()
  if (found === undefined) throw new Error('nothing was saved')
  await saved.bringBack(cluster, found)
  expect(await databases()).toContain('old')
  expect(existsSync(home.file('elsewhere/PG_VERSION'))).toBe(true)
})

async function fill(session: Session, database: string, megabytes: number): Promise<void> {
  const client = await session.connect(database)
  try {
    await client.query(
      `CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, ${megabytes * 1000}) AS n`,
    )
  } finally {
    await client.end()
  }
}
