import { backUpCluster, restoreCluster } from '../src/index.ts'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import type { Progress } from '../src/index.ts'
import { everyPostgres, newest, readRows, somePostgres, Writer } from '@howdah/postgres-fixtures'

const { strategy } = newest
const isRoot = process.getuid?.() === 0
/** In ms: several backups and restores on each of ten PostgreSQLs at once take their time on a busy machine. */
const patience = 240_000

it.concurrent.each(somePostgres)(
  'restores what $name has committed, with writes going on during the base backup',
  async ({ strategy: each }) => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy: each })
    await cluster.create()
    expect(await backUpCluster(cluster, { into: home.file('backups') })).toMatchObject({
      number: 1,
    })
    let written: number[]
    {
      await using session = await cluster.run()
      const writer = await Writer.on(session)
      writer.start()
      const phases: Progress['phase'][] = []
      const backup = await backUpCluster(cluster, {
        into: home.file('backups'),
        onProgress: ({ phase, bytes, totalBytes }) => {
          if (phase !== phases.at(-1)) phases.push(phase)
          expect(totalBytes === null || bytes <= totalBytes).toBe(true)
        },
      })
      await writer.stop()
      await writer.write()
      written = writer.rows.map(({ n }) => n)
      expect(phases).toEqual(['preparing', 'copying', 'archiving', 'finishing'])
      expect(backup).toMatchObject({ number: 2, path: home.file('backups', 'data.0000000002') })
      expect(backup.endedAt.getTime()).toBeGreaterThanOrEqual(backup.startedAt.getTime())
    }
    // When the server stops, it archives what it has.
    const other = new Cluster(home.file('other'), { strategy: each })
    const restored = await restoreCluster(other, { from: home.file('backups') })
    expect(restored).toMatchObject({ backup: { number: 2 }, superusers: [expect.any(String)] })
    expect(await other.status()).toMatchObject({ state: 'stopped' })

    await using session = await other.run({ ifExists: true })
    expect(await readRows(session)).toEqual(written)
    const client = await session.connect()
    const { rows } = await client.query(
      `SELECT current_setting('archive_mode') AS mode, count(*)::int AS set FROM pg_file_settings
        WHERE name ~ '^(archive|restore|recovery)'`,
    )
    expect(rows).toEqual([{ mode: 'off', set: 0 }])
    const left = readdirSync(other.dataDir).filter((name) => /howdah|recovery|backup/.test(name))
    expect(left.toSorted()).toEqual(['howdah.json', 'howdah.run'])
  },
  patience,
)

const place = temporaryDirectory()
/** Archives already. A test removes its archive at its end, so that the next one has another. */
const shared = new Cluster(place.file('data'), { strategy })
beforeAll(async () => {
  await shared.create()
  await backUpCluster(shared, { into: place.file('backups') })
  rmSync(place.file('backups'), { recursive: true })
})
afterAll(() => place[Symbol.dispose]())

it.each([
  ['spaces and quotes', `it's "here" $HOME \`id\` \\ %p %`],
  ['other scripts', 'Ελλάς 日本 🐘'],
  ['200 characters', 'long '.repeat(40)],
])('keeps backups in a directory with %s in its name', async (_, name) => {
  using home = temporaryDirectory()
  const into = home.file(name, name)
  await backUpCluster(shared, { into })
  expect(readdirSync(into).toSorted()).toEqual([
    'data.0000000001',
    'howdah-backups.json',
    'howdah-backups.lock',
    'wal',
  ])
  const other = new Cluster(home.file(name, 'other'), { strategy })
  await restoreCluster(other, { from: into })
  expect(await other.exists()).toBe(true)
})

it('restarts a server for archiving only when nobody else uses it, with the settings it had', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  await cluster.start({ settings: { work_mem: '7MB' }, tcp: true })
  {
    await using user = await cluster.run()
    expect(user.started).toBe('unmodified')
    await expect(backUpCluster(cluster, { into: home.file('backups') })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_IN_USE',
      message: expect.stringContaining('restart with archiving'),
    })
    expect(existsSync(`${cluster.dataDir}/howdah.archive`)).toBe(false)
  }
  await backUpCluster(cluster, { into: home.file('backups') })
  expect(await cluster.status()).toMatchObject({ pinned: true, listenAddress: '127.0.0.1' })
  const { pid } = (await cluster.status()) as { pid: number }
  await using user = await cluster.run()
  // From now on no restart is needed, and others may use it.
  await backUpCluster(cluster, { into: home.file('backups') })
  expect(await cluster.status()).toMatchObject({ pid })
  const client = await user.connect()
  expect((await client.query('SHOW work_mem')).rows).toEqual([{ work_mem: '7MB' }])
  await client.end()
  await user.leave()
  await cluster.stop()
})

it('leaves alone what archives already', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  await using session = await cluster.run()
  const client = await session.connect()
  await client.query(`ALTER SYSTEM SET archive_command = 'cp %p /nowhere/%f'`)
  await client.end()
  await expect(backUpCluster(cluster, { into: home.file('backups') })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_FOREIGN_ARCHIVING',
    found: 'cp %p /nowhere/%f',
  })
  await session.leave()
  expect(existsSync(`${cluster.dataDir}/howdah.archive`)).toBe(false)
})

it('archives to one place at a time, wherever that was moved to', async () => {
  using home = temporaryDirectory()
  await backUpCluster(shared, { into: home.file('one') })
  await expect(backUpCluster(shared, { into: home.file('two') })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_FOREIGN_ARCHIVING',
    found: home.file('one', 'wal'),
  })
  renameSync(home.file('one'), home.file('moved'))
  expect(await backUpCluster(shared, { into: home.file('moved') })).toMatchObject({ number: 2 })
})

it('refuses a directory that is none for its backups', async () => {
  using home = temporaryDirectory()
  const other = new Cluster(home.file('other'), { strategy })
  await other.create()
  mkdirSync(home.file('letters'))
  writeFileSync(home.file('letters', 'letter.txt'), 'dear reader')
  await backUpCluster(other, { into: home.file('others') })
  for (const [name, why] of [
    ['letters', 'it holds other things (letter.txt)'],
    ['others', 'it holds those of another cluster'],
  ] as const) {
    await expect(backUpCluster(shared, { into: home.file(name) })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_BACKUP_DIRECTORY',
      path: home.file(name),
      message: expect.stringContaining(why),
    })
  }
  for (const path of [join(shared.dataDir, 'backups'), home.file('other', 'base', 'backups')]) {
    await expect(backUpCluster(shared, { into: path })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NESTED',
    })
    expect(existsSync(path)).toBe(false)
  }
  expect(readdirSync(home.file('letters'))).toEqual(['letter.txt'])
})

it('is ended by a signal, and leaves nothing then', async () => {
  using home = temporaryDirectory()
  await backUpCluster(shared, { into: home.file('backups') })
  const before = readdirSync(home.file('backups'))
  const abort = new AbortController()
  const backup = backUpCluster(shared, {
    into: home.file('backups'),
    signal: abort.signal,
    onProgress: ({ phase, bytes }) => {
      if (phase === 'copying' && bytes > 0) abort.abort(new Error('enough'))
    },
  })
  await expect(backup).rejects.toThrow('enough')
  expect(readdirSync(home.file('backups'))).toEqual(before)
})

it('restores into an empty or a new directory only, and from backups only', async () => {
  using home = temporaryDirectory()
  const there = async (path: string) =>
    await restoreCluster(new Cluster(path, { strategy }), { from: home.file('backups') })
  await expect(there(home.file('other'))).rejects.toMatchObject({ code: 'ERR_CLUSTER_NO_BACKUP' })
  await backUpCluster(shared, { into: home.file('backups') })
  await expect(there(shared.dataDir)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  await expect(there(home.path)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  expect(existsSync(home.file('other'))).toBe(false)
})

it('finds a changed file when it restores, and restores nothing then', async () => {
  using home = temporaryDirectory()
  const { path } = await backUpCluster(shared, { into: home.file('backups') })
  const other = new Cluster(home.file('other'), { strategy })
  writeFileSync(`${path}/postgresql.conf`, 'fsync = off\n')
  await expect(restoreCluster(other, { from: home.file('backups') })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_BACKUP_DAMAGED',
    path: `${path}/postgresql.conf`,
  })
  expect(readdirSync(other.dataDir)).toEqual([])
})

describe.runIf(isRoot)('as root (needs root)', () => {
  it('says beforehand that the server would not get to a directory, and how it would', async () => {
    using home = temporaryDirectory()
    mkdirSync(home.file('closed'), { mode: 0o700 })
    await expect(
      backUpCluster(shared, { into: home.file('closed', 'backups') }),
    ).rejects.toMatchObject({
      code: 'ERR_CLUSTER_PERMISSION',
      path: home.file('closed'),
      message: expect.stringContaining(`chmod o+x ${home.file('closed')}`),
    })
    chmodSync(home.file('closed'), 0o711)
    await backUpCluster(shared, { into: home.file('closed', 'backups') })
    // The archive is the server's, and the backups are ours alone.
    expect(statSync(home.file('closed', 'backups', 'wal')).uid).not.toBe(0)
    expect(statSync(home.file('closed', 'backups', 'data.0000000001'))).toMatchObject({ uid: 0 })
  })

  it.each(everyPostgres.filter(({ major }) => major === 11 || major === newest.major))(
    'restores $name from and to directories that the server could not enter by itself',
    async ({ strategy: each }) => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy: each })
      {
        await using session = await cluster.run()
        await (await Writer.on(session)).write()
      }
      await backUpCluster(cluster, { into: home.file('place', 'backups') })
      chmodSync(home.file('place'), 0o700)
      const other = new Cluster(home.file('place', 'other'), { strategy: each })
      await restoreCluster(other, { from: home.file('place', 'backups') })
      await using session = await other.run()
      expect(await readRows(session)).toEqual([1])
    },
  )
})
