import { backUpCluster } from '@howdah/backup'
import { writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster, type Server } from '@howdah/cluster'
import { newest, somePostgres, Worker } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
beforeEach(() => {
  home = temporaryDirectory()
})
afterEach(() => home[Symbol.dispose]())

async function show(server: Server, name: string): Promise<string> {
  return (await server.settings.get(name)).text
}

describe.each(somePostgres)('restarting on $name', ({ strategy }) => {
  it('applies pending settings, and starts the server as before', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    await using db = await cluster.run({
      tcp: true,
      settings: { work_mem: '5MB', search_path: 'a, "B c"', shared_buffers: '32MB' },
    })
    const { port } = db.address
    const pool = await db.pool()
    await pool.query('SELECT 1')
    await db.settings.set('max_connections', 31)
    const before = await cluster.status()
    await db.restart({ settings: { work_mem: '6MB' } })

    expect(await show(db, 'max_connections')).toBe('31')
    expect(await show(db, 'work_mem')).toBe('6MB')
    expect(await show(db, 'search_path')).toBe('a, "B c"')
    expect(await show(db, 'shared_buffers')).toBe('32MB')
    expect(await cluster.status()).toMatchObject({ state: 'running', port, pinned: false })
    expect(await cluster.status()).not.toMatchObject({ pid: (before as { pid: number }).pid })
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(await db.leave()).toBe('stopped')
  })
})

describe('a restart for any cause keeps how the server was started, and adds', () => {
  const settings = {
    work_mem: '5MB',
    Search_Path: 'a, "B c", $d',
    'my.own': `" it's \\n "x" -c`,
    wal_level: 'minimal',
    max_wal_senders: '0',
    archive_mode: 'off',
  }
  /** What takes a restart, and what it adds. */
  const causes = {
    TCP: async (cluster) => {
      await using db = await cluster.run({ tcp: true, settings: { WORK_MEM: '6MB' } })
      return {
        work_mem: '6MB',
        listen_addresses: expect.stringMatching(/^127\.0\.0\.1(,::1)?$/),
        port: String(db.address.port),
      }
    },
    'a call of restart': async (cluster) => {
      await using db = await cluster.run()
      await db.restart({ settings: { search_path: 'e', 'my.other': '7' } })
      return { search_path: 'e', 'my.other': '7' }
    },
    'a first backup': async (cluster) => {
      await backUpCluster(cluster, { into: home.file('backups') })
      return { archive_mode: 'on', wal_level: 'replica' }
    },
  } satisfies Record<string, (cluster: Cluster) => Promise<Record<string, string>>>
  it.each([
    ['TCP', 'a call of restart', 'a first backup'],
    ['a call of restart', 'a first backup', 'TCP'],
    ['a first backup', 'TCP', 'a call of restart'],
  ] as const)('%s, %s, %s', async (...order) => {
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await cluster.start({ settings })
    let expected: Record<string, string> = { ...settings }
    for (const name of order) {
      const added = await causes[name](cluster)
      const anew = new Set(Object.keys(added).map((key) => key.toLowerCase()))
      const kept = Object.entries(expected).filter(([key]) => !anew.has(key.toLowerCase()))
      expected = { ...Object.fromEntries(kept), ...added }
      const server = await cluster.server()
      const shown = Object.keys(expected).map(async (key) => [key, await show(server, key)])
      expect(Object.fromEntries(await Promise.all(shown))).toEqual(expected)
      expect(await cluster.status()).toMatchObject({ state: 'running', ours: true, pinned: true })
    }
    await cluster.stop()
  })

  it('also if it fails: a pinned server runs as before', async () => {
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await cluster.start({ settings: { work_mem: '5MB' } })
    await using db = await cluster.run()
    const failing = db.restart({ settings: { shared_preload_libraries: 'no_such_library' } })
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CLUSTER_START_FAILED' })
    expect(await cluster.status()).toMatchObject({ state: 'running', pinned: true })
    expect(await show(await cluster.server(), 'work_mem')).toBe('5MB')
    await cluster.stop()
  })

  it('is refused if it is unknown how the server was started', async () => {
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await using db = await cluster.run()
    writeFileSync(home.file('data', 'postmaster.opts'), '')
    await expect(db.restart()).rejects.toMatchObject({ code: 'ERR_CLUSTER_UNKNOWN_START' })
    expect(await db.databases()).toContain('postgres')
  })
})

it('keeps a pinned server', async () => {
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.start()
  {
    await using db = await cluster.run()
    await db.restart()
    expect(await db.leave()).toBe('kept')
  }
  expect(await cluster.status()).toMatchObject({ state: 'running', pinned: true })
  await cluster.stop()
})

it('does not take the server from other users', async () => {
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await using db = await cluster.run()
  await using other = new Worker('use', cluster.dataDir, newest)
  await other.next()
  await expect(db.restart()).rejects.toMatchObject({
    code: 'ERR_CLUSTER_IN_USE',
    users: [{ pid: other.process.pid }],
  })
  expect(await db.databases()).toContain('postgres')
  await other.leave()
  await db.restart()
})

it('has left if the server does not start again, and another value makes it start', async () => {
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  {
    await using db = await cluster.run()
    await db.settings.set('shared_preload_libraries', ['no_such_library'])
    await expect(db.restart()).rejects.toMatchObject({
      code: 'ERR_CLUSTER_START_FAILED',
      log: expect.stringContaining('no_such_library'),
    })
    expect(await cluster.status()).toMatchObject({ state: 'stopped' })
    expect(await db.leave()).toBe('stopped')
  }
  await expect(cluster.run()).rejects.toMatchObject({ code: 'ERR_CLUSTER_START_FAILED' })
  {
    await using db = await cluster.run({ settings: { shared_preload_libraries: '' } })
    await db.settings.reset('shared_preload_libraries')
  }
  await using db = await cluster.run()
  expect(await db.settings.get('shared_preload_libraries')).toMatchObject({ value: [] })
})
