import { backUpCluster, restoreCluster } from '@howdah/backup'
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { Registry, write } from '@howdah/registry'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cluster, clusters } from '@howdah/cluster'
import { refuseNested } from '@howdah/known-clusters'
import { newest } from '@howdah/postgres-fixtures'

const { strategy } = newest
let home: TemporaryDirectory
let registry: Registry
let notices: string[]

/** A cluster in the home of this test. It is stopped at its end. */
const at = (...names: string[]) => {
  const cluster = new Cluster(home.file(...names), {
    strategy,
    onNotice: (notice) => notices.push(notice),
  })
  made.push(cluster)
  return cluster
}
const made: Cluster[] = []

beforeEach(() => {
  home = temporaryDirectory()
  mkdirSync(home.file('state'), { mode: 0o700 })
  vi.stubEnv('HOWDAH_STATE_DIR', home.file('state'))
  registry = new Registry()
  notices = []
})

afterEach(async () => {
  for (const cluster of made.splice(0)) await cluster.stop({ force: true }).catch(() => null)
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

/** The pid of a cluster's server. */
async function pidOf(cluster: Cluster): Promise<number> {
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error(`${cluster.dataDir} does not run`)
  return status.pid
}

it('registers the data directory for the postmaster, as long as that runs', async () => {
  const cluster = at('data')
  const session = await cluster.run()
  expect(await registry.list()).toMatchObject([
    {
      name: cluster.dataDir,
      pid: await pidOf(cluster),
      allow: [{ target: cluster.dataDir, permission: 'write', recursive: true }],
    },
  ])
  const next = await cluster.run()
  expect(await session.leave()).toBe('in-use')
  expect(await registry.list()).toHaveLength(1)
  expect(await next.leave()).toBe('stopped')
  expect(await registry.list()).toEqual([])
  expect(notices.filter((notice) => notice.includes('howdah ls'))).toEqual([])
})

it.each(['while it runs', 'while it is stopped', 'without any state'])(
  'refuses a cluster in the data directory of another, with the name of that: %s',
  async (when) => {
    const outer = at('data')
    await outer.create()
    if (when === 'while it runs') await outer.start()
    if (when === 'without any state') vi.stubEnv('HOWDAH_STATE_DIR', '/dev/null')
    const pid = when === 'while it runs' ? await pidOf(outer) : null
    const before = readdirSync(home.file('data'))
    symlinkSync(home.file('data'), home.file('link'))
    const refusal = { code: 'ERR_CLUSTER_NESTED', owner: outer.dataDir, pid }
    for (const names of [
      ['data', 'inner'],
      ['data', 'a', 'b', 'c'],
      ['data', 'base'],
      ['link', 'inner'],
    ]) {
      await expect(at(...names).start()).rejects.toMatchObject(refusal)
      await expect(at(...names).create()).rejects.toMatchObject(refusal)
    }
    await expect(at('data', 'inner').start()).rejects.toThrow(
      `cannot use ${home.file('data', 'inner')}: it lies in ${outer.dataDir}, the data directory of a cluster` +
        `${pid === null ? '' : ` (pid ${pid})`}; choose a directory apart from that`,
    )
    expect(readdirSync(home.file('data'))).toEqual(before)
    // Beside it is fine, also with a name that begins alike.
    expect(await at('data-2').create()).toBe('modified')
  },
)

it('refuses a destination in a data directory, whether it exists or not, and accepts others', async () => {
  const cluster = at('data')
  await cluster.create()
  const refusal = { code: 'ERR_CLUSTER_NESTED', owner: cluster.dataDir, pid: null }
  for (const path of ['data', 'data/backup', 'data/base/1', 'data/new/and/below']) {
    await expect(refuseNested(home.file(path))).rejects.toMatchObject(refusal)
  }
  for (const path of ['.', 'backup', 'data.backup', 'new/below']) {
    await refuseNested(home.file(path))
  }
  expect(existsSync(home.file('new'))).toBe(false)
})

it('refuses what other programs have registered, with their name and pid', async () => {
  await using runner = await registry.register('runner', { allow: [write(home.file('work'))] })
  const refusal = { code: 'ERR_CLUSTER_NESTED', owner: 'runner', pid: process.pid }
  await expect(refuseNested(home.file('work', 'backup'))).rejects.toMatchObject(refusal)
  await expect(at('work', 'data').create()).rejects.toMatchObject(refusal)
  expect(existsSync(home.file('work'))).toBe(false)
  await runner.release()
  await refuseNested(home.file('work', 'backup'))
})

it('refuses a backup into a data directory, its own or another, running or not', async () => {
  const [source, other] = [at('data'), at('other')]
  await source.start()
  await other.create()
  const before = readdirSync(other.dataDir)
  const refusal = { code: 'ERR_CLUSTER_NESTED', pid: null }
  const ofSource = { ...refusal, owner: source.dataDir, pid: await pidOf(source) }
  for (const [into, expected] of [
    [home.file('data', 'backups'), ofSource],
    [home.file('data', 'base', 'deep', 'backups'), ofSource],
    [home.file('other', 'backups'), { ...refusal, owner: other.dataDir }],
    [home.file('other'), { ...refusal, owner: other.dataDir }],
  ] as const) {
    await expect(backUpCluster(source, { into })).rejects.toMatchObject(expected)
  }
  expect(existsSync(home.file('data', 'backups'))).toBe(false)
  expect(readdirSync(other.dataDir)).toEqual(before)
})

it('refuses a cluster among backups, and to run a backup itself, which would spoil it', async () => {
  const source = at('data')
  await source.create()
  const into = home.file('backups')
  const { path } = await backUpCluster(source, { into })
  const refusal = { code: 'ERR_CLUSTER_NESTED', owner: into, pid: null }
  const before = readdirSync(into)
  for (const cluster of [at('backups', 'new'), at('backups', 'wal', 'new')]) {
    await expect(cluster.create()).rejects.toMatchObject(refusal)
    await expect(restoreCluster(cluster, { from: into })).rejects.toMatchObject(refusal)
  }
  const backup = new Cluster(path, { strategy })
  await expect(backup.start()).rejects.toMatchObject(refusal)
  await expect(backup.run({ ifExists: true })).rejects.toThrow(
    `cannot use ${path}: it lies in ${into}, which holds the backups of a cluster; choose a directory apart from that`,
  )
  expect(readdirSync(into)).toEqual(before)
  const restored = at('restored')
  await restoreCluster(restored, { from: into })
  await (await restored.run()).leave()
  expect((await clusters()).map(({ dataDir }) => dataDir)).toEqual([
    source.dataDir,
    restored.dataDir,
  ])
})

it('lets only one of two nested clusters run', async () => {
  await at('outer').create()
  await at('inner').create()
  renameSync(home.file('inner'), home.file('outer', 'inner'))
  const [outer, inner] = [at('outer'), at('outer', 'inner')]

  await inner.start()
  const around = { code: 'ERR_CLUSTER_NESTED', owner: inner.dataDir, pid: await pidOf(inner) }
  await expect(outer.start()).rejects.toMatchObject(around)
  await expect(outer.start()).rejects.toThrow(`it lies around ${inner.dataDir}`)
  expect(await outer.running()).toBe(false)
  await inner.stop()

  await outer.start()
  const within = { code: 'ERR_CLUSTER_NESTED', owner: outer.dataDir, pid: await pidOf(outer) }
  await expect(inner.start()).rejects.toMatchObject(within)
  expect(await inner.running()).toBe(false)
  await outer.stop()
})

it('lets only one of two nested clusters win that start at once, and leaves no server of the other', async () => {
  await at('outer').create()
  await at('inner').create()
  renameSync(home.file('inner'), home.file('outer', 'inner'))
  const both = [at('outer'), at('outer', 'inner')]
  const results = await Promise.allSettled(both.map(async (cluster) => await cluster.start()))
  const running = await Promise.all(both.map(async (cluster) => await cluster.running()))
  expect(running.filter(Boolean).length).toBeLessThanOrEqual(1)
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual(running)
  expect(await registry.list()).toHaveLength(running.filter(Boolean).length)
})

/** Where pids repeat, and whether a process lives cannot be seen from here: in another pid namespace; on a Mac, on another machine. */
const unseen =
  process.platform === 'linux'
    ? { pidNamespace: 'pid:[1]', machineId: null }
    : { pidNamespace: null, bootId: 'another', machineId: 'another' }

it('is not prevented by an earlier registration of its own with an unknown end, nor by that of a removed cluster', async () => {
  const cluster = at('data')
  await cluster.create()
  const elsewhere = { pid: 7, startTime: '1', bootId: null, ...unseen }
  const gone = write(`${cluster.dataDir}/gone`)
  await registry.register(gone.target, { allow: [gone], process: elsewhere })
  const { dataDir } = cluster
  await registry.register(dataDir, { allow: [write(dataDir)], deny: [gone], process: elsewhere })
  expect(await registry.list()).toHaveLength(2)
  await using session = await cluster.run()
  expect(session.started).toBe('modified')
  expect(await registry.list()).toMatchObject([{ name: dataDir, pid: await pidOf(cluster) }])
})

it('removes the registration of a server that ends, and no other', async () => {
  const cluster = at('data')
  await cluster.start()
  const [own] = await registry.list()
  if (own === undefined) throw new Error('it is not registered')
  await registry.release(own.name, own.token)
  const { pid, bootId } = own
  const other = { pid, bootId, startTime: '1', ...unseen }
  await registry.register(own.name, { allow: [write(own.name)], process: other })
  await cluster.stop()
  expect(await registry.list()).toMatchObject([{ name: own.name, pid, startTime: '1' }])
})

it.each([
  ['is not a directory', () => writeFileSync(home.file('nowhere'), '')],
  ['is open to others', () => mkdirSync(home.file('nowhere'), { mode: 0o777 })],
])('works without a place for state, and says so once: it %s', async (_, make) => {
  make()
  vi.stubEnv('HOWDAH_STATE_DIR', home.file('nowhere'))
  const cluster = at('data')
  await (await cluster.run()).leave()
  await (await cluster.run()).leave()
  const said = notices.filter((notice) => notice.includes('howdah ls'))
  expect(said).toEqual([
    expect.stringContaining('Set HOWDAH_STATE_DIR to a directory that is yours'),
  ])
})
