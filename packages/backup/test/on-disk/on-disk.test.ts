// @vitest-environment-options { "alone": "on-disk/on-disk" }
// Before all that keeps a function of Node's for later.
import { trace, watchDisk } from './disk-trace.ts'
import { cloneCluster, backUpCluster } from '../../src/index.ts'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { onPath } from '@howdah/runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

const { strategy } = newest
const traced = linuxOnly('/proc/self/fd, by which descriptors tell their paths')
let home: TemporaryDirectory

beforeEach(() => {
  // What is synced need not be slow for that.
  home = temporaryDirectory({ inMemory: true })
  watchDisk(home.path)
})

afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

/** What was done below the home of a test, except what was only brought in before the last, and taken away before it was written. */
function done(): string[] {
  return trace.calls.filter(
    (call) =>
      !/^\w+ \//.test(call) &&
      !/^rename .*howdah\.initdb-.*(?<!PG_VERSION)$/.test(call) &&
      !/^remove .*(\.tmp|\/howdah\.run(\.new)?)$/.test(call),
  )
}

const synced = (path: string) => [`sync ${path}.tmp`, `rename ${path}.tmp -> ${path}`]
/** Of a clone: as much as waits to be written on this machine decides which. */
const wholeSync = /^(?:initdb --sync-only|sync -f)$/
/** A cluster is being made, and there: its marker goes when all is on disk. */
const begun = synced('data/howdah.creating')
const ended = [
  ...synced('data/howdah.json'),
  'rename data/howdah.initdb-*/PG_VERSION -> data/PG_VERSION',
  'sync data',
  'remove data/howdah.creating',
  'sync data',
]

describe('a cluster appears when all of it is on disk', traced, () => {
  it('made by initdb, and the template that is kept of it', async () => {
    const { bindir } = await new Cluster(home.file('data'), { strategy }).runtime()
    vi.stubEnv('HOWDAH_CACHE_DIR', home.file('cache'))
    await new Cluster(home.file('data'), { strategy: onPath([bindir]) }).create()
    const calls = done().map((call) =>
      call.replaceAll(/[\w.-]+(?=\.(tmp|template)\b)/g, (name) =>
        basename(name).startsWith('howdah') ? name : 'KEY',
      ),
    )
    expect(calls.filter((call) => !call.startsWith('rename cache/.versions'))).toEqual([
      ...begun,
      'initdb',
      'sync cache/templates/KEY.tmp',
      'rename cache/templates/KEY.tmp -> cache/templates/KEY.template',
      ...ended,
    ])
  })

  it('made by a template, or of another cluster', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    await new Cluster(home.file('first'), { strategy }).create()
    watchDisk(home.path)
    await cluster.create()
    expect(done()).toEqual([...begun, 'initdb --sync-only', ...ended])
    watchDisk(home.path)
    await cloneCluster(cluster, { to: home.file('clone') })
    const calls = done().map((call) =>
      call.replaceAll('clone/', 'data/').replaceAll(/clone$/g, 'data'),
    )
    expect(calls).toEqual([...begun, expect.stringMatching(wholeSync), ...ended])
  })

  it('of another cluster, or not at all, if the disk fails', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    await cluster.create()
    watchDisk(home.path)
    trace.failing = ['initdb --sync-only', 'sync -f']
    const clone = new Cluster(home.file('clone'), { strategy })
    await expect(cloneCluster(cluster, { to: clone.dataDir })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_CREATE_FAILED',
      message: expect.stringContaining('made to fail'),
    })
    expect(await clone.exists()).toBe(false)
    // What could not be written is told once: it is not tried in another way.
    const syncs = trace.calls.filter((call) => wholeSync.test(call))
    expect(syncs).toHaveLength(1)
  })

  it.each(['initdb --sync-only', 'sync data', 'sync data/howdah.json.tmp'])(
    'or not at all, if the disk fails at: %s',
    async (failing) => {
      await new Cluster(home.file('first'), { strategy }).create()
      const cluster = new Cluster(home.file('data'), { strategy })
      trace.failing = [failing]
      await expect(cluster.create()).rejects.toThrow('made to fail')
      expect(await cluster.exists()).toBe(false)
      watchDisk(home.path)
      expect(await cluster.create()).toBe('modified')
    },
  )

  it('unless what it is made of is not: then it remembers that', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    {
      await using session = await cluster.run({ mode: 'fast' })
      expect(await session.mode()).toBe('fast')
    }
    const clone = await cloneCluster(cluster, { to: home.file('clone') })
    expect(existsSync(home.file('clone', 'howdah.unsynced'))).toBe(true)
    expect(await clone.mode()).toBe('fast')
  })
})

describe('a cluster is safe when all of it is on disk', traced, () => {
  const owed = ['sync data/howdah.unsynced', 'sync data']

  it('after a checkpoint, and remembers until then that it is not', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    const isOwed = () => existsSync(home.file('data', 'howdah.unsynced'))
    const checkpoints = () =>
      readFileSync(cluster.logFile, 'utf8').match(/checkpoint starting: .*force/g)?.length ?? 0
    {
      await using session = await cluster.run({ settings: { log_checkpoints: 'on' } })
      const client = await session.connect()
      watchDisk(home.path)
      // Not by howdah, which has not made a note of it.
      await client.query('ALTER SYSTEM SET fsync TO off')
      await client.query('SELECT pg_reload_conf()')
      expect([isOwed(), await session.mode()]).toEqual([false, 'fast'])
      const before = checkpoints()
      trace.failing = ['initdb --sync-only']
      const whenSynced: [isOwed: boolean, checkpoints: number][] = []
      trace.before = (call) => {
        if (trace.failing.includes(call)) whenSynced.push([isOwed(), checkpoints()])
      }
      await expect(session.setMode('safe')).rejects.toMatchObject({
        code: 'ERR_CLUSTER_NOT_SAFE',
        message: expect.stringContaining('made to fail'),
      })
      expect(whenSynced).toEqual([[true, before + 1]])
      expect(done()).toEqual([...owed, 'initdb --sync-only'])
      expect([isOwed(), await session.mode()]).toEqual([true, 'fast'])
    }
    expect(await cluster.mode()).toBe('fast')
    await using session = await cluster.run()
    watchDisk(home.path)
    expect(await session.setMode('safe')).toBe('modified')
    expect(done()).toEqual(['initdb --sync-only', 'remove data/howdah.unsynced'])
    watchDisk(home.path)
    expect(await session.setMode('fast')).toBe('modified')
    expect(done()).toEqual(owed)
  })
})

describe('a backup', traced, () => {
  it('appears when every file and directory of it is on disk, and goes at once', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    await cluster.create()
    const into = home.file('backups')
    watchDisk(home.path)
    trace.failing = ['sync backups/making.*/global/pg_control']
    await expect(backUpCluster(cluster, { into })).rejects.toThrow('made to fail')
    expect(done().slice(0, 4)).toEqual([
      ...synced('backups/howdah-backups.json'),
      'sync backups',
      'sync .',
    ])
    expect(readdirSync(into).filter((name) => /^(data|making)/.test(name))).toEqual([])

    await using session = await cluster.run()
    expect(session.started).toBe('modified')
    watchDisk(home.path)
    const { path } = await backUpCluster(cluster, { into })
    const calls = done()
    const published = calls.indexOf('rename backups/making.* -> backups/data.0000000001')
    const names = readdirSync(path, { recursive: true })
      .map(String)
      .filter((name) => name !== 'howdah.backup')
    const before = new Set(calls.slice(0, published))
    expect(names.length).toBeGreaterThan(500)
    expect(names.filter((name) => !before.has(`sync backups/making.*/${name}`))).toEqual([])
    expect(calls.slice(published - 3, published)).toEqual([
      ...synced('backups/making.*/howdah.backup'),
      'sync backups/making.*',
    ])
    expect(calls.slice(published + 1)).toEqual(['sync backups'])
    expect(calls.lastIndexOf('sync backups/making.*/backup_label')).toBeGreaterThan(-1)
    watchDisk(home.path)
    await backUpCluster(cluster, { into, keep: 1 })
    const expiring = done()
    const retired = expiring.indexOf('rename backups/data.0000000001 -> backups/retired.*')
    const [next, ...rest] = expiring.slice(retired + 1)
    // Else a power failure might leave the backup without its WAL.
    expect(next).toBe('sync backups')
    expect(rest.filter((call) => !call.startsWith('remove backups/wal/'))).toEqual([])
  })
})
