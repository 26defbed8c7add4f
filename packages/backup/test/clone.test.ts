import { cloneCluster, backUpCluster, forkCluster } from '../src/index.ts'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { temporaryDirectory, times } from '@howdah/fixtures'
import { liveness } from '@howdah/lock'
import { describe, expect, it } from 'vitest'
import { Cluster, readSystemIdentifier, type Server } from '@howdah/cluster'
import type { Progress } from '../src/index.ts'
import {
  everyPostgres,
  leaveBusyBackend,
  newest,
  readRows,
  somePostgres,
  Writer,
} from '@howdah/postgres-fixtures'

const { strategy } = newest
const isRoot = process.getuid?.() === 0

it.concurrent.each(somePostgres)(
  'clones $name whole: while others write, stopped, and crashed',
  { timeout: 300_000 },
  async ({ strategy: each }) => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy: each })
    const superusers: string[] = []
    let written: number[]
    {
      await using session = await original.run({ database: 'app' })
      const client = await session.connect()
      await client.query(
        `CREATE TABLE words AS SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n`,
      )
      await client.query('CREATE ROLE "o\'Brien" SUPERUSER LOGIN')
      await client.query('CREATE DATABASE "Foo""BAR"')
      const writer = await Writer.on(session)
      await writer.write()
      writer.start()
      const committed = writer.rows.length
      const phases: Progress['phase'][] = []
      const copy = await cloneCluster(original, {
        to: home.file('running'),
        onProgress: ({ phase, bytes, totalBytes }) => {
          if (phase !== phases.at(-1)) phases.push(phase)
          expect(totalBytes === null || bytes <= totalBytes).toBe(true)
        },
      })
      await writer.stop()
      await writer.write()
      written = writer.rows.map(({ n }) => n)
      expect(phases).toEqual(['preparing', 'copying', 'recovering', 'finishing'])
      expect(await copy.status()).toMatchObject({ state: 'stopped' })
      await using its = await copy.run({ database: 'app', ifExists: true })
      const rows = await readRows(its)
      expect(rows).toEqual(written.slice(0, rows.length))
      expect(rows.length).toBeGreaterThanOrEqual(committed)
      expect(await picture(its, 'words')).toEqual(await picture(session, 'words'))
      superusers.push(...(await its.superusers()))
    }
    expect(superusers).toContain("o'Brien")

    const stopped = await cloneCluster(original, { to: home.file('stopped') })
    await original.start()
    const crashed = await original.server({ database: 'app' })
    const all = await picture(crashed, 'words')
    await crashed.createDatabase('after')
    await original.stop({ shutdown: 'immediate' })
    const ofCrashed = await cloneCluster(original, { to: home.file('crashed') })
    for (const [copy, databases] of [
      [stopped, all.databases],
      [ofCrashed, ['after', ...all.databases].toSorted()],
    ] as const) {
      expect(await copy.status()).toMatchObject({ state: 'stopped' })
      expect(await copy.superusers()).toEqual(superusers)
      await using session = await copy.run({ database: 'app', ifExists: true })
      expect(await readRows(session)).toEqual(written)
      expect(await picture(session, 'words')).toEqual({ ...all, databases })
    }
    const everyOne = [original, stopped, ofCrashed, new Cluster(home.file('running'))]
    const identifiers = everyOne.map(async ({ dataDir }) => await readSystemIdentifier(dataDir))
    expect(new Set(await Promise.all(identifiers)).size).toBe(4)

    await using session = await original.run({ database: 'app', ifExists: true })
    expect(await readRows(session)).toEqual(written)
    expect(await slots(session)).toEqual([])
  },
)

it('makes a cluster that howdah may destroy, in the mode of its original', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.start({ mode: 'fast' })
  const copies = [await cloneCluster(original, { to: home.file('one') })]
  await original.stop()
  copies.push(await cloneCluster(original, { to: home.file('two') }))
  {
    await using session = await original.run({ mode: 'safe' })
    expect(await session.mode()).toBe('safe')
  }
  for (const copy of copies) expect(await copy.mode()).toBe('fast')
  const safe = await cloneCluster(original, { to: home.file('three') })
  expect(await safe.mode()).toBe('safe')
  const known = /^howdah\./
  expect(readdirSync(safe.dataDir).filter((name) => known.test(name))).toEqual(['howdah.json'])
  for (const copy of [...copies, safe]) expect(await copy.destroy()).toBe('modified')
  expect(readdirSync(home.path)).toEqual(['data'])
})

it('clones a cluster that howdah neither created nor started, and leaves that as it is', async () => {
  using home = temporaryDirectory()
  const maker = new Cluster(home.file('data'), { strategy })
  await maker.create()
  rmSync(home.file('data', 'howdah.json'))
  const original = new Cluster(home.file('data'), { strategy })
  const copy = await cloneCluster(original, { to: home.file('copy') })
  expect(existsSync(home.file('data', 'howdah.json'))).toBe(false)
  expect(await copy.superusers()).toEqual(await original.superusers())
  await using session = await copy.run()
  expect(await session.databases()).toContain('postgres')
  await session.leave()
  expect(await copy.destroy()).toBe('modified')
})

it('neither archives where its original does, nor follows or waits for the servers that its original does', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.create()
  await backUpCluster(original, { into: home.file('backups') })
  const before = readdirSync(home.file('backups', 'wal'))
  {
    await using session = await original.run()
    const client = await session.connect()
    await client.query(`SELECT pg_create_physical_replication_slot('kept', true)`)
    await client.query(`ALTER SYSTEM SET primary_conninfo = 'host=nowhere'`)
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = ''`)
  }
  appendFileSync(
    home.file('data', 'postgresql.conf'),
    `archive_mode = on\narchive_command = 'cp %p ${home.file('backups')}/%f'\nsynchronous_standby_names = 'nobody'\n`,
  )
  const archived = readdirSync(home.file('backups', 'wal'))
  const copy = await cloneCluster(original, { to: home.file('copy') })
  await using session = await copy.run({ mode: 'safe' })
  const client = await session.connect()
  const { rows } = await client.query(
    `SELECT name, setting FROM pg_settings
      WHERE name IN ('archive_mode', 'archive_command', 'primary_conninfo', 'synchronous_standby_names') ORDER BY name`,
  )
  expect(rows).toEqual([
    { name: 'archive_command', setting: '(disabled)' },
    { name: 'archive_mode', setting: 'off' },
    { name: 'primary_conninfo', setting: '' },
    { name: 'synchronous_standby_names', setting: '' },
  ])
  expect(await slots(session)).toEqual([])
  // Would wait for "nobody" otherwise.
  await client.query('CREATE TABLE mine AS SELECT 1 AS n')
  await client.query('SELECT pg_switch_wal()')
  await session.leave()
  expect(readdirSync(home.file('backups', 'wal'))).toEqual(archived)
  expect(archived.length).toBeGreaterThanOrEqual(before.length)
})

it('clones while its server recycles WAL as fast as it can, which a slot of the clone holds', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await using session = await original.run()
  const client = await session.connect()
  await client.query('CREATE TABLE filler (n int)')
  const end = new AbortController()
  const busy = (async () => {
    while (!end.signal.aborted) {
      await client.query('INSERT INTO filler VALUES (1)')
      await client.query('SELECT pg_switch_wal()')
      await client.query('CHECKPOINT')
    }
  })()
  try {
    const copy = await cloneCluster(original, { to: home.file('copy') })
    await using its = await copy.run()
    expect(await its.databases()).toEqual(await session.databases())
  } finally {
    end.abort()
    await busy
  }
})

it('clones a cluster whose postmaster was killed, and of which a backend still works', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.start()
  const backend = await leaveBusyBackend(original)
  const copy = await cloneCluster(original, { to: home.file('copy') })
  expect(liveness(backend.identity)).toBe('dead')
  for (const cluster of [copy, original]) {
    await using session = await cluster.run()
    expect(await session.databases()).toContain('postgres')
  }
})

it.each(everyPostgres.filter(({ major }) => major === 10 || major === newest.major))(
  'takes nothing from the publisher of its original: $name',
  async ({ strategy: each }) => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy: each })
    {
      await using session = await original.run({ database: 'app' })
      const client = await session.connect()
      await client.query(
        `CREATE SUBSCRIPTION mine CONNECTION 'host=/nowhere' PUBLICATION theirs WITH (connect = false)`,
      )
      await client.query('ALTER SUBSCRIPTION mine ENABLE')
    }
    const copy = await cloneCluster(original, { to: home.file('copy') })
    for (const [cluster, enabled] of [
      [original, true],
      [copy, false],
    ] as const) {
      await using session = await cluster.run({ database: 'app' })
      const client = await session.connect()
      const { rows } = await client.query('SELECT subname, subenabled FROM pg_subscription')
      expect(rows).toEqual([{ subname: 'mine', subenabled: enabled }])
    }
  },
)

it('clones if no slot is free, as long as the server keeps its WAL by itself', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await using session = await original.run({ settings: { max_replication_slots: '0' } })
  const copy = await cloneCluster(original, { to: home.file('copy') })
  await using its = await copy.run()
  expect(await its.databases()).toEqual(await session.databases())
})

it('of many who clone one at once, each copies the WAL of its own time, and not that of all', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.start()
  const places = Array.from({ length: times(3, 5) }, (_, index) => home.file(String(index)))
  await Promise.all(places.map(async (to) => await forkCluster(original, { to })))
  for (const place of places) {
    const segments = readdirSync(join(place, 'pg_wal')).filter((name) => /^[\dA-F]{24}$/.test(name))
    expect(segments).toHaveLength(1)
  }
  await original.stop()
  await Promise.all(places.map(async (to) => await new Cluster(to).destroy()))
  // Nor is one that does not run started for that.
  await Promise.all(places.map(async (to) => await forkCluster(original, { to })))
  expect(readFileSync(original.logFile, 'utf8').match(/ready to accept connections/g)).toHaveLength(
    1,
  )
})

it('keeps the permissions of every file, and leaves out only maps of the system catalogs', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  {
    await using session = await original.run()
    const client = await session.connect()
    await client.query('CREATE TABLE words AS SELECT generate_series(1, 1000) AS n')
    await client.query('VACUUM')
    await client.end()
  }
  for (const { parentPath, name } of readdirSync(original.dataDir, {
    withFileTypes: true,
    recursive: true,
  }))
    if (parentPath.includes('/base'))
      chmodSync(join(parentPath, name), statSync(join(parentPath, name)).mode | 0o040)
  const copy = await cloneCluster(original, { to: home.file('copy') })
  const files = (directory: string) =>
    readdirSync(join(directory, 'base'), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name !== 'pg_internal.init')
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name)
        const { mode, size } = statSync(path)
        return `${relative(directory, path)} ${(mode & 0o777).toString(8)} ${size}`
      })
      .toSorted()
  const copied = files(copy.dataDir)
  const missing = files(original.dataDir).filter((file) => !copied.includes(file))
  expect(missing.length).toBeGreaterThan(10)
  const maps = /\/(\d+)_(?:fsm|vm) /
  expect(missing.filter((file) => !(Number(maps.exec(file)?.[1]) < 16_384))).toEqual([])
  expect(copied.filter((file) => maps.test(file))).not.toEqual([])
})

it('refuses a place that is not free for it, and leaves that alone', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  const clone = async (...names: string[]) =>
    await cloneCluster(original, { to: home.file(...names) })
  await expect(clone('copy')).rejects.toMatchObject({ code: 'ERR_CLUSTER_MISSING' })
  expect(existsSync(home.file('copy'))).toBe(false)

  await original.create()
  await new Cluster(home.file('other'), { strategy }).create()
  symlinkSync(home.file('data'), home.file('link'))
  mkdirSync(home.file('letters'))
  writeFileSync(home.file('letters', 'letter.txt'), 'dear reader')
  for (const name of ['data', 'link', 'other', 'letters']) {
    await expect(clone(name)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  }
  await expect(clone()).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  for (const names of [
    ['data', 'copy'],
    ['link', 'base', 'copy'],
    ['other', 'copy'],
  ]) {
    await expect(clone(...names)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NESTED' })
    expect(existsSync(home.file(...names))).toBe(false)
  }
  await using session = await original.run()
  await expect(clone('other')).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  await expect(clone('data', 'copy')).rejects.toMatchObject({ code: 'ERR_CLUSTER_NESTED' })
  expect(await session.databases()).toContain('postgres')
  expect(readFileSync(home.file('letters', 'letter.txt'), 'utf8')).toBe('dear reader')
})

describe('refuses, running and stopped', () => {
  const refused = { code: 'ERR_CLUSTER_BACKUP_UNSUPPORTED' }

  it('tablespaces outside of the data directory', async () => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await original.start()
    const { uid, gid } = statSync(original.dataDir)
    mkdirSync(home.file('space'), { mode: 0o700 })
    if (isRoot) chownSync(home.file('space'), uid, gid)
    const server = await original.server()
    const client = await server.connect()
    await client.query(`CREATE TABLESPACE outside LOCATION '${home.file('space')}'`)
    await client.end()
    const clone = async () => await cloneCluster(original, { to: home.file('copy') })
    await expect(clone()).rejects.toMatchObject(refused)
    await original.stop()
    await expect(clone()).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(home.file('space')),
    })
    expect(readdirSync(home.file('copy'))).toEqual([])
  })

  it('a standby', async () => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await original.create()
    writeFileSync(home.file('data', 'standby.signal'), '')
    const clone = async () => await cloneCluster(original, { to: home.file('copy') })
    await expect(clone()).rejects.toMatchObject(refused)
    await original.start()
    await expect(clone()).rejects.toMatchObject(refused)
    await original.stop()
  })

  it('one that says that its data lies elsewhere', async () => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await original.create()
    appendFileSync(
      home.file('data', 'postgresql.conf'),
      `data_directory = '${home.file('data')}'\n`,
    )
    await expect(cloneCluster(original, { to: home.file('copy') })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('remove that line'),
    })
  })
})

it('says what to do if the server logs too little, and clones it when it is stopped', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.create()
  appendFileSync(home.file('data', 'postgresql.conf'), 'wal_level = minimal\nmax_wal_senders = 0\n')
  await original.start()
  await expect(cloneCluster(original, { to: home.file('copy') })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_BACKUP_UNSUPPORTED',
    message: expect.stringContaining('stop it and clone it then'),
  })
  await original.stop()
  const copy = await cloneCluster(original, { to: home.file('copy') })
  await using session = await copy.run()
  expect(await session.databases()).toContain('postgres')
})

it('is ended by a signal, and leaves nothing then, with the original as it was', async () => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('data'), { strategy })
  await original.start()
  const reason = new Error('enough')
  for (const phase of ['copying', 'recovering'] as const) {
    const abort = new AbortController()
    const cloning = cloneCluster(original, {
      to: home.file('copy'),
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.phase === phase) abort.abort(reason)
      },
    })
    await expect(cloning).rejects.toBe(reason)
    expect(readdirSync(home.file('copy'))).toEqual([])
  }
  expect(await original.status()).toMatchObject({ state: 'running', pinned: true })
  const server = await original.server()
  expect(await slots(server)).toEqual([])
  await original.stop()
})

describe.runIf(isRoot)('as root (needs root)', () => {
  it('makes a cluster of the same user, in places that this user could not enter', async () => {
    using home = temporaryDirectory()
    mkdirSync(home.file('closed'), { mode: 0o700 })
    const original = new Cluster(home.file('closed', 'data'), { strategy, runAs: 'nobody' })
    await original.start()
    const copies = [await cloneCluster(original, { to: home.file('closed', 'one') })]
    await original.stop()
    const asOneIsFound = new Cluster(home.file('closed', 'data'), { strategy })
    copies.push(await cloneCluster(asOneIsFound, { to: home.file('closed', 'two') }))
    const { uid } = statSync(original.dataDir)
    for (const copy of copies) {
      const find = ['-L', copy.dataDir, '!', '-uid', String(uid)]
      expect(execFileSync('find', find, { encoding: 'utf8' })).toBe('')
      await using session = await copy.run()
      expect(await session.databases()).toContain('postgres')
    }
  })
})

/** What a user would miss. */
async function picture(server: Server, table: string) {
  const client = await server.connect()
  try {
    const { rows } = await client.query<{ digest: string; roles: string[] }>(
      `SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY t)) FROM ${table} AS t) AS digest,
              ARRAY(SELECT rolname::text FROM pg_roles ORDER BY rolname) AS roles`,
    )
    return { ...rows[0], databases: await server.databases() }
  } finally {
    await client.end()
  }
}

async function slots(server: Server): Promise<string[]> {
  const client = await server.connect()
  try {
    const { rows } = await client.query<{ slot_name: string }>(
      'SELECT slot_name FROM pg_replication_slots',
    )
    return rows.map(({ slot_name }) => slot_name)
  } finally {
    await client.end()
  }
}
