import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import {
  inPidNamespace,
  linuxOnly,
  temporaryDirectory,
  type TemporaryDirectory,
  until,
  whyNoPidNamespaces,
} from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { pathIdentity } from '@howdah/store'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cluster, clusters, type ListedCluster } from '../../src/index.ts'
import { newest, Worker } from '@howdah/postgres-fixtures'

const { strategy } = newest
const noNamespaces = whyNoPidNamespaces()
if (noNamespaces !== null) console.log(`no users in containers: ${noNamespaces}`)
let home: TemporaryDirectory
let notices: string[]
const made: Cluster[] = []

/** A cluster in the home of this test. It is stopped at its end. */
const at = (...names: string[]) => {
  const onNotice = (notice: string) => notices.push(notice)
  const cluster = new Cluster(home.file(...names), { strategy, onNotice })
  made.push(cluster)
  return cluster
}

beforeEach(() => {
  home = temporaryDirectory()
  mkdirSync(home.file('state'), { mode: 0o700 })
  vi.stubEnv('HOWDAH_STATE_DIR', home.file('state'))
  notices = []
})

afterEach(async () => {
  for (const cluster of made.splice(0)) await cluster.stop({ force: true }).catch(() => null)
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

/** What is left in the state of this test. */
const left = () => ({ clusters: namesIn('clusters'), uses: namesIn('uses') })

const namesIn = (name: string) => {
  const path = home.file('state', name)
  return existsSync(path) ? readdirSync(path).filter((found) => found !== 'lock') : []
}

const list = async () => await clusters({ onNotice: (notice) => notices.push(notice) })

/** The only cluster that is listed. */
async function only(): Promise<ListedCluster> {
  const [found, ...others] = await list()
  expect(others).toEqual([])
  if (found === undefined) throw new Error('no cluster is listed')
  return found
}

describe('a process that uses a cluster', () => {
  it('is listed with its command, its user, since when and how, until it leaves', async () => {
    const { dataDir } = at('data')
    const before = Date.now()
    await using worker = new Worker('use', dataDir, newest, { database: 'app', tcp: true })
    await worker.next()
    const { users, status } = await only()
    expect(status).toMatchObject({ state: 'running', ours: true, pinned: false })
    expect(users).toEqual([
      {
        pid: worker.process.pid,
        command: expect.stringContaining('worker.mjs'),
        user: userInfo().username,
        since: expect.any(Date),
        database: 'app',
        how: 'tcp',
      },
    ])
    expect(users[0]!.since!.getTime()).toBeGreaterThanOrEqual(before)
    expect(await worker.leave()).toEqual({ outcome: 'stopped' })
    expect(await only()).toMatchObject({ dataDir, status: { state: 'stopped' }, users: [] })
    expect(notices).toEqual([])
  })

  it('is listed as soon as it has joined, and for each of its sessions', async () => {
    const cluster = at('data')
    await using one = await cluster.run()
    expect((await only()).users).toMatchObject([{ pid: process.pid, database: 'postgres' }])
    await using other = await cluster.run({ database: 'app' })
    expect((await only()).users.map(({ database }) => database)).toEqual(['postgres', 'app'])
    await other.leave()
    expect((await only()).users.map(({ database }) => database)).toEqual(['postgres'])
    await one.restart()
    expect((await only()).users).toMatchObject([{ pid: process.pid, how: 'socket' }])
  })

  it('vanishes when it is killed, and leaves nothing behind', async () => {
    const cluster = at('data')
    await using survivor = new Worker('use', cluster.dataDir, newest)
    await survivor.next()
    const crowd = Array.from({ length: 5 }, () => new Worker('use', cluster.dataDir, newest))
    for (const worker of crowd) await worker.next()
    expect((await only()).users).toHaveLength(6)
    await Promise.all(crowd.map(async (worker) => await worker.kill()))
    expect((await only()).users.map(({ pid }) => pid)).toEqual([survivor.process.pid])
    const segment = home.file('state', 'uses', String(pathIdentity(cluster.dataDir)))
    expect(readdirSync(segment).filter((name) => /^[\da-f]{32}$/.test(name))).toHaveLength(1)
    await survivor.kill()
    expect((await only()).users).toEqual([])
    expect(left().uses).toEqual([])
  })

  it.skipIf(noNamespaces !== null)(
    'of a container that was killed is listed no more, although its process cannot be looked at',
    async () => {
      const cluster = at('data')
      await cluster.create()
      await using user = new Worker('use', cluster.dataDir, newest, {}, { by: inPidNamespace })
      expect(await user.next()).toMatchObject({ joined: 'modified' })
      expect((await only()).users).toHaveLength(1)
      await user.kill()
      await until('it is gone', async () => (await only()).users.length === 0)
      await only()
      expect(left().uses).toEqual([])
      // Also while others use the cluster.
      await using other = new Worker('use', cluster.dataDir, newest, {}, { by: inPidNamespace })
      await other.next()
      await other.kill()
      await using _ = await cluster.run()
      expect((await only()).users).toMatchObject([{ pid: process.pid }])
    },
  )

  it('is not listed when it could not join after all', async () => {
    const cluster = at('data')
    await cluster.start()
    const refused = cluster.run({ database: '' })
    await expect(refused).rejects.toMatchObject({ code: '42601' })
    expect((await only()).users).toEqual([])
  })

  it(
    'is listed by what the kernel knows if it could not say so itself',
    linuxOnly('/proc/locks, which tells who holds a lock'),
    async () => {
      const cluster = at('data')
      await using worker = new Worker(
        'use',
        cluster.dataDir,
        newest,
        {},
        { env: { HOWDAH_STATE_DIR: '/dev/null' } },
      )
      await worker.next()
      await cluster.start()
      await using session = await cluster.run()
      const user = userInfo().username
      expect((await only()).users).toEqual([
        expect.objectContaining({ pid: process.pid, database: 'postgres' }),
        {
          pid: worker.process.pid,
          command: expect.stringContaining('worker.mjs'),
          user,
          since: null,
          database: null,
          how: null,
        },
      ])
      await session.leave()
    },
  )
})

describe('a cluster', () => {
  it('is listed from its creation to its destruction, by its real path', async () => {
    mkdirSync(home.file('real'))
    symlinkSync(home.file('real'), home.file('link'))
    const cluster = at('link', 'data')
    const dataDir = home.file('real', 'data')
    expect(await list()).toEqual([])
    await cluster.create()
    expect(await only()).toMatchObject({ dataDir, status: { state: 'stopped' }, users: [] })
    await cluster.start()
    const running = { state: 'running', ours: true, pinned: true, startedAt: expect.any(Date) }
    expect(await only()).toMatchObject({ dataDir, status: running, users: [] })
    await cluster.stop()
    expect(await only()).toMatchObject({ dataDir, status: { state: 'stopped' } })
    await cluster.destroy()
    expect(await list()).toEqual([])
    expect(left()).toEqual({ clusters: [], uses: [] })
    expect(notices).toEqual([])
  })

  it('that was removed or moved by others is dropped, and listed again when it is used next', async () => {
    await at('one').create()
    await at('two').create()
    expect((await list()).map(({ dataDir }) => dataDir)).toEqual([
      home.file('one'),
      home.file('two'),
    ])
    rmSync(home.file('one'), { recursive: true })
    renameSync(home.file('two'), home.file('three'))
    expect(await list()).toEqual([])
    expect(left()).toEqual({ clusters: [], uses: [] })
    await using _ = await at('three').run()
    expect(await only()).toMatchObject({
      dataDir: home.file('three'),
      users: [{ pid: process.pid }],
    })
  })

  it('to be thrown away is listed while it lives, and leaves nothing behind', async () => {
    const { dataDir } = at('gone')
    const options = { throwAway: true, atEnd: 'destroy' }
    await using leaver = new Worker('use', dataDir, newest, options)
    await leaver.next()
    expect(await only()).toMatchObject({ dataDir, users: [{ pid: leaver.process.pid }] })
    expect(await leaver.leave()).toEqual({ outcome: 'destroyed' })
    expect(left()).toEqual({ clusters: [], uses: [] })

    await using victim = new Worker('use', dataDir, newest, options)
    await victim.next()
    await victim.kill()
    await until('the cluster is gone', () => !existsSync(dataDir))
    expect(await list()).toEqual([])
    expect(left()).toEqual({ clusters: [], uses: [] })
  })

  it('of which nothing can be told is listed with the reason, and so are all others', async () => {
    for (const name of ['damaged', 'good']) await at(name).create()
    writeFileSync(home.file('damaged', 'PG_VERSION'), 'eighteen\n')
    const listed = await list()
    expect(listed.map(({ dataDir, status }) => [dataDir, status.state])).toEqual([
      [home.file('damaged'), 'unknown'],
      [home.file('good'), 'stopped'],
    ])
    const reason = {
      code: 'ERR_CLUSTER_MALFORMED_VERSION',
      message: expect.stringContaining('eighteen'),
    }
    expect(listed[0]!.status).toMatchObject({ reason })
  })

  it('is listed if what else lies in the state is damaged, and that is told', async () => {
    const cluster = at('data')
    await using _ = await cluster.run()
    const segment = home.file('state', 'uses', String(pathIdentity(cluster.dataDir)))
    writeFileSync(`${segment}/${'0'.repeat(32)}`, 'garbage')
    writeFileSync(home.file('state', 'uses', 'readme'), '')
    writeFileSync(home.file('state', 'clusters', 'readme'), '')
    expect(await only()).toMatchObject({ users: [{ pid: process.pid }] })
    expect(notices).toEqual([
      expect.stringContaining('0'.repeat(32)),
      expect.stringContaining('readme'),
    ])
  })
})

describe('what fails about the list', () => {
  it.each([
    ['there is no place for state', () => vi.stubEnv('HOWDAH_STATE_DIR', '/dev/null')],
    ['something is in its place', () => writeFileSync(home.file('state', 'uses'), '')],
    ['nothing can be made in it', () => writeFileSync(home.file('state', 'clusters'), '')],
  ])('keeps nobody from using a cluster, and is said once: %s', async (_, breakIt) => {
    breakIt()
    const cluster = at('data')
    for (let times = 0; times < 2; times++) {
      const session = await cluster.run()
      const client = await session.connect()
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      expect(await session.leave()).toBe('stopped')
    }
    expect(notices.filter((notice) => notice.includes('howdah ls'))).toHaveLength(1)
    expect(await cluster.destroy()).toBe('modified')
  })

  it('does not hold up who joins: another has the segment locked, and does not go on', async () => {
    const cluster = at('data')
    await cluster.start()
    await (await cluster.run()).leave()
    const segment = home.file('state', 'uses', String(pathIdentity(cluster.dataDir)))
    using _ = await acquire(`${segment}/lock`)
    await using session = await cluster.run()
    expect(session.started).toBe('unmodified')
    expect(notices).toEqual([expect.stringContaining('howdah ls')])
  })

  it('is told to who lists: there is no place for state', async () => {
    vi.stubEnv('HOWDAH_STATE_DIR', '/dev/null')
    expect(await list()).toEqual([])
    expect(notices).toEqual([expect.stringContaining('Set HOWDAH_STATE_DIR')])
  })
})
