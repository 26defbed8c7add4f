import { spawn, spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryDirectory, type TemporaryDirectory, times, until } from '@howdah/fixtures'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Cluster, run } from '../../src/index.ts'
import { Session } from '../../src/session.ts'
import { killedInTime, newest, Worker } from '@howdah/postgres-fixtures'

const { strategy } = newest
let home: TemporaryDirectory
let cluster: Cluster

beforeAll(async () => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy })
  await cluster.create()
})

beforeEach(async () => {
  await cluster.stop({ force: true })
})

afterAll(async () => {
  await cluster.stop({ force: true })
  home[Symbol.dispose]()
})

const stopped = async () =>
  await until('the server has stopped', async () => !(await cluster.running()))

/** The number of times that the cluster's servers have come up. */
async function starts(): Promise<number> {
  let log = ''
  for await (const text of cluster.logs()) log += text
  return log.split('ready to accept connections').length - 1
}

it('is started by the first and stopped by the last', async () => {
  const first = await cluster.run()
  const second = await cluster.run()
  expect([first.started, second.started]).toEqual(['modified', 'unmodified'])
  expect(await first.leave()).toBe('in-use')
  const client = await second.connect()
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  expect(await second.leave()).toBe('stopped')
  expect(await second.leave()).toBe('stopped')
  expect(await cluster.running()).toBe(false)
})

it('ends what a session has opened, though a client was never given back', async () => {
  const session = await cluster.run()
  const pool = await session.pool()
  await pool.connect()
  await session.connect()
  expect(await session.leave()).toBe('stopped')
})

it.each([
  ['a server that it has only looked up', async () => await cluster.server()],
  ['a session', async () => await cluster.run()],
])('a program outlives the end of the server of its pool, of %s', async (_, open) => {
  await cluster.start()
  const server = await open()
  const pool = await server.pool()
  const taken = await pool.connect()
  const idle = await pool.connect()
  idle.release()
  const ended = [taken, idle].map(
    async (client) => await new Promise((resolve) => client.once('end', resolve)),
  )
  // An error without a listener would fail this whole file.
  await cluster.stop({ force: true })
  await Promise.all(ended)
  await expect(taken.query('SELECT 1')).rejects.toThrow(/not queryable|terminated/)
  taken.release()
  await pool.end()
  if (server instanceof Session) await server.leave()
})

it('makes the database that is asked for, whatever its name', async () => {
  const names = ['app', 'foo-bar', 'Foo"BAR', `it's`, 'with space', 'späti 🐘', 'a%2Fb?c=d&e']
  await using session = await cluster.run()
  for (const name of names) {
    await using other = await cluster.run({ database: name })
    const client = await other.connect()
    const { rows } = await client.query('SELECT current_database() AS name')
    expect(rows).toEqual([{ name }])
  }
  expect(await session.databases()).toEqual(expect.arrayContaining(names))
})

it('makes it once when many ask at the same moment', async () => {
  await using session = await cluster.run()
  const asked = await Promise.all(Array.from({ length: 8 }, () => session.ensureDatabase('rush')))
  expect(asked.filter((state) => state === 'modified')).toHaveLength(1)
})

it('does not create a cluster where one has to exist', async () => {
  const missing = new Cluster(home.file('missing'), { strategy })
  await expect(missing.run({ ifExists: true })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_MISSING',
  })
  await expect(missing.server()).rejects.toMatchObject({ code: 'ERR_CLUSTER_MISSING' })
  await expect(missing.superusers()).rejects.toMatchObject({ code: 'ERR_CLUSTER_MISSING' })
  expect(await missing.stop()).toBe('unmodified')
  expect(await missing.destroy()).toBe('unmodified')
  expect(existsSync(missing.dataDir)).toBe(false)
})

it('stays when it was started to stay', async () => {
  await cluster.start()
  {
    await using session = await cluster.run()
    expect(session.started).toBe('unmodified')
    expect(await session.leave()).toBe('kept')
  }
  expect(await cluster.running()).toBe(true)
  expect(await cluster.stop()).toBe('modified')
})

it('stays with the database and the TCP that it was started with', async () => {
  const stays = { state: 'running', ours: true, pinned: true }
  expect(await cluster.start({ database: 'kept', tcp: true })).toBe('modified')
  expect(await cluster.status()).toMatchObject({ ...stays, listenAddress: '127.0.0.1' })
  await (await (await cluster.server({ database: 'kept' })).connect()).end()
  expect(await cluster.stop()).toBe('modified')

  // One that is restarted with TCP stays as well.
  await cluster.start()
  expect(await cluster.start({ tcp: true })).toBe('unmodified')
  expect(await cluster.status()).toMatchObject({ ...stays, listenAddress: '127.0.0.1' })
})

it('stays, or never runs, when the process that starts it to stay is killed', async () => {
  await killedInTime(
    8,
    () => new Worker('start', cluster.dataDir, newest, {}, { tells: true }),
    async () => {
      // The next to come waits for a server that is still coming up.
      const session = await cluster.run()
      expect(session.started === 'modified' ? 'stopped' : 'kept').toBe(await session.leave())
      await cluster.stop()
    },
  )
  await stopped()
  const left = spawnSync('ps', ['-Aww', '-o', 'command=']).stdout.toString()
  expect(left).not.toContain(cluster.dataDir)
}, 180_000)

it('lingers for the next', async () => {
  const session = await cluster.run({ linger: 1000 })
  expect(await session.leave()).toBe('kept')
  expect(await cluster.running()).toBe(true)
  await stopped()
})

it('is neither stopped nor destroyed while somebody uses it, unless forced', async () => {
  await using other = new Worker('use', cluster.dataDir, newest)
  await other.next()
  const inUse = {
    code: 'ERR_CLUSTER_IN_USE',
    users: [{ pid: other.process.pid, command: expect.stringContaining('worker.mjs') }],
    message: expect.stringContaining(`in use by pid ${other.process.pid} (`),
  }
  await expect(cluster.stop()).rejects.toMatchObject(inUse)
  await expect(cluster.destroy()).rejects.toMatchObject(inUse)
  expect(await cluster.users()).toMatchObject(inUse.users)
  expect(await cluster.stop({ force: true })).toBe('modified')
  expect(await other.next()).toEqual({ lost: true })
})

it('uses a server that howdah did not start, and leaves it running', async () => {
  const { bindir } = await cluster.runtime()
  // As pg_ctl would, and as the cluster's owner.
  const { uid, gid } = await import('node:fs').then(({ statSync }) => statSync(cluster.dataDir))
  const foreign = spawn(`${bindir}/postgres`, ['-D', cluster.dataDir, '-k', '.', '-h', ''], {
    ...(process.getuid?.() === 0 && { uid, gid }),
    cwd: '/',
    stdio: 'ignore',
  })
  try {
    await until('it is ready', async () => await cluster.running())
    const session = await cluster.run({ database: 'guest' })
    expect(session.started).toBe('unmodified')
    expect(await session.leave()).toBe('kept')
    await expect(cluster.stop()).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_OURS' })
    expect(await cluster.status()).toMatchObject({
      state: 'running',
      ours: false,
      pid: foreign.pid,
    })
  } finally {
    foreign.kill('SIGINT')
    await until('it has ended', () => foreign.exitCode !== null)
  }
})

it('finds out the superuser of a cluster that howdah did not create', async () => {
  const mark = home.file('data', 'howdah.json')
  rmSync(mark)
  await using session = await cluster.run()
  expect(await session.superusers()).toContain(session.address.user)
  expect(existsSync(mark)).toBe(true)
  await session.leave()
  await expect(cluster.destroy()).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_OURS' })
  expect(await cluster.exists()).toBe(true)
})

it('stops when its only user is killed, and the next one starts it again', async () => {
  const other = new Worker('use', cluster.dataDir, newest)
  expect(await other.next()).toMatchObject({ joined: 'modified' })
  await other.kill()
  await stopped()
  await using session = await cluster.run()
  expect(session.started).toBe('modified')
})

it('is removed when the last user of a cluster that was made to be thrown away is killed', async () => {
  const dataDir = home.file('thrown away')
  const users = [1, 2].map(() => new Worker('use', dataDir, newest, { throwAway: true }))
  for (const user of users) expect(await user.next()).toHaveProperty('joined')
  await users[0]?.kill()
  expect(existsSync(dataDir)).toBe(true)
  await users[1]?.kill()
  await until('it is removed', () => !existsSync(dataDir))
})

it('is removed at the end when that was asked for', async () => {
  const session = await run(home.file('once'), { strategy, atEnd: 'destroy' })
  expect(await session.leave()).toBe('destroyed')
  expect(existsSync(session.dataDir)).toBe(false)
})

it('is started anew by the next when it dies under its users', async () => {
  const first = await cluster.run()
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  process.kill(status.pid, 'SIGQUIT')
  await stopped()
  const second = await cluster.run()
  expect(second.started).toBe('modified')
  expect(await first.leave()).toBe('in-use')
  expect(await second.leave()).toBe('stopped')
})

const crowd = times(20, 50)
it(`is started once by ${crowd} who come at the same moment`, async () => {
  const before = await starts()
  const users = Array.from({ length: crowd }, () => new Worker('use', cluster.dataDir, newest))
  const messages = await Promise.all(users.map((user) => user.next()))
  const joined = messages.map((message) => message?.joined)
  expect(joined.filter((started) => started === 'modified')).toHaveLength(1)
  expect(joined.filter((started) => started === 'unmodified')).toHaveLength(crowd - 1)
  expect(await starts()).toBe(before + 1)
  for (const user of users) await user.kill()
  await stopped()
}, 120_000)

it('never takes the server from a user, whichever others are killed, and nothing is left', async () => {
  // Waves of users that are killed at random, beside some that stay: these must not lose their connections.
  for (let round = 0; round < times(2, 3); round += 1) {
    const staying: Worker[] = []
    for (let wave = 0; wave < 2; wave += 1) {
      // Half of them are killed while they join, the others some time after they have.
      const ends = Array.from({ length: 8 }, async (_, index) => {
        await using killed = new Worker('use', cluster.dataDir, newest, {}, { tells: true })
        await killed.next()
        const isJoined = index % 2 !== 0 || (await killed.next())?.joined !== undefined
        if (!isJoined) throw new Error('it did not join')
        await sleep(Math.random() * 100)
        await killed.kill()
      })
      const stays = new Worker('use', cluster.dataDir, newest)
      expect(await stays.next()).toHaveProperty('joined')
      staying.push(stays)
      await Promise.all(ends)
    }
    for (const worker of staying) {
      expect(await worker.leave()).toHaveProperty('outcome')
      expect(worker.messages).not.toContainEqual({ lost: true })
    }
  }
  await stopped()
  await until('all processes have ended', () => {
    const processes = spawnSync('ps', ['-Aww', '-o', 'command=']).stdout.toString()
    return !processes.includes(cluster.dataDir)
  })
}, 120_000)
