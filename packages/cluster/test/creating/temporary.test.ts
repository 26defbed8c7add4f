import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import {
  commandLineOf,
  linuxOnly,
  processIds,
  temporaryDirectory,
  type TemporaryDirectory,
  until,
} from '@howdah/fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Cluster, sweepTemporary, temporary } from '../../src/index.ts'
import { everyPostgres, killedInTime, newest, Worker } from '@howdah/postgres-fixtures'

const { strategy } = newest
const variable = 'HOWDAH_TEMPORARY_DIR'

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory()
  process.env[variable] = home.path
})

afterEach(() => {
  delete process.env[variable]
  home[Symbol.dispose]()
})

it.each(everyPostgres)('is a cluster that is gone when it was left ($name)', async (postgres) => {
  const session = await temporary({ strategy: postgres.strategy, database: 'test' })
  const client = await session.connect()
  await client.query('CREATE TABLE t AS SELECT generate_series(1, 1000) AS n')
  expect((await client.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 1000 }])

  expect(await session.leave()).toBe('destroyed')
  expect(existsSync(session.dataDir)).toBe(false)
  await until('nothing of it is left', () => readdirSync(dirname(session.dataDir)).length === 0)
})

it('lies in a directory that is ours alone', async () => {
  await using session = await temporary({ strategy })
  const { uid, mode } = statSync(dirname(session.dataDir))
  expect([uid, (mode & 0o777).toString(8)]).toEqual([
    process.geteuid?.(),
    expect.stringMatching(/^7[05][05]$/),
  ])
})

it('lies in memory if there is room', async () => {
  delete process.env[variable]
  await using session = await temporary({ strategy })
  const hasPlace = process.platform === 'linux' && existsSync('/dev/shm')
  const { bavail, bsize } = hasPlace ? statfsSync('/dev/shm') : { bavail: 0, bsize: 0 }
  const room = (bavail * bsize) / 1024 ** 3
  // In between, it depends on how much of it is used by now.
  const expected = room < 1 ? /^(?!\/dev\/shm\/)/ : room > 8 ? /^\/dev\/shm\// : /^\//
  expect(session.dataDir).toMatch(expected)
})

it('does not lie where others can write', async () => {
  const place = home.file(`howdah-clusters-${process.geteuid?.()}`)
  mkdirSync(place)
  chmodSync(place, 0o777)
  await expect(temporary({ strategy })).rejects.toMatchObject({
    code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
  })
  expect(readdirSync(place)).toEqual([])
})

it.runIf(process.geteuid?.() === 0)(
  'does not lie where another user may have planted one',
  async () => {
    const place = home.file('howdah-clusters-0')
    mkdirSync(place, { mode: 0o700 })
    chownSync(place, 65_534, 65_534)
    await expect(temporary({ strategy })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    })
    expect(readdirSync(place)).toEqual([])
  },
)

it('is lean, by settings that give way to any others', async () => {
  await using session = await temporary({ strategy, settings: { max_wal_size: '512MB' } })
  const value = async (name: string) => (await session.settings.get(name)).text
  expect(await session.mode()).toBe('fast')
  expect(await value('shared_buffers')).toBe('32MB')
  expect(await value('max_wal_size')).toBe('512MB')
  await session.settings.set('shared_buffers', '48MB')
  await session.restart()
  expect(await value('shared_buffers')).toBe('48MB')
  // What tests may need is there.
  expect(await value('autovacuum')).toBe('on')
  expect(await value('wal_level')).toBe('replica')
  expect(await value('synchronous_commit')).toBe('on')
})

it('can be made safe', async () => {
  await using session = await temporary({ strategy, mode: 'safe' })
  expect(await session.mode()).toBe('safe')
  expect((await session.settings.get('fsync')).text).toBe('on')
})

it('is shared by all who join it, and goes with the last', async () => {
  const session = await temporary({ strategy })
  await using worker = new Worker('use', session.dataDir, newest)
  expect(await worker.next()).toMatchObject({ joined: 'unmodified' })
  expect(await session.leave()).toBe('in-use')
  expect(await worker.leave()).toEqual({ outcome: 'destroyed' })
  expect(existsSync(session.dataDir)).toBe(false)
})

it('is gone when its user is killed', async () => {
  await using worker = new Worker('temporary', home.path, newest)
  const dataDir = (await worker.next())?.dataDir ?? ''
  expect(existsSync(dataDir)).toBe(true)
  await worker.kill()
  await until('it is gone', () => !existsSync(dataDir))
})

it(
  'is removed by the next to come when its watchdog is killed, too',
  linuxOnly('/proc, in which the watchdogs are looked for'),
  async () => {
    await using worker = new Worker('temporary', home.path, newest)
    const dataDir = (await worker.next())?.dataDir ?? ''
    const postmaster = Number(readFileSync(`${dataDir}/postmaster.pid`, 'utf8').split('\n')[0])
    for (const pid of watchdogsOf(dataDir)) process.kill(pid, 'SIGKILL')
    await worker.kill()
    expect(existsSync(`/proc/${postmaster}`)).toBe(true)

    await using session = await temporary({ strategy })
    await until('it is swept', () => !existsSync(dataDir) && !existsSync(`/proc/${postmaster}`))
    const client = await session.connect()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  },
)

it('leaves nothing for long when it is killed at any instant of being made', async () => {
  await killedInTime(5, () => new Worker('temporary', home.path, newest, {}, { tells: true }))
  const session = await temporary({ strategy })
  const place = dirname(session.dataDir)
  // What the watchdogs remove may keep the first sweep from it.
  await until('all others are gone', async () => {
    await using _ = await temporary({ strategy })
    return clustersIn(place).length === 2
  })
  expect(await session.leave()).toBe('destroyed')
  expect(clustersIn(place)).toEqual([])
}, 180_000)

it('leaves alone what somebody uses, watches, or has started to stay', async () => {
  await using used = await temporary({ strategy })
  const lingering = await temporary({ strategy, linger: 600_000 })
  const pinned = await temporary({ strategy })
  const stays = new Cluster(pinned.dataDir, { strategy })
  await stays.start()
  expect(await lingering.leave()).toBe('kept')
  expect(await pinned.leave()).toBe('kept')
  try {
    await sweepTemporary()
    for (const { dataDir } of [used, lingering, pinned]) {
      expect(await new Cluster(dataDir, { strategy }).running()).toBe(true)
    }
  } finally {
    await stays.destroy({ force: true })
    await new Cluster(lingering.dataDir, { strategy }).destroy({ force: true })
  }
})

it('has what was being removed when that was killed removed by the next', async () => {
  const session = await temporary({ strategy })
  await session.leave()
  const left = `${dirname(session.dataDir)}/.removed-left`
  mkdirSync(`${left}/base`, { recursive: true })
  await using _ = await temporary({ strategy })
  await until('it is gone', () => !existsSync(left))
  expect(clustersIn(dirname(left))).toHaveLength(1)
})

/** Without what is being removed. */
function clustersIn(place: string): string[] {
  return readdirSync(place).filter((name) => !name.startsWith('.'))
}

function watchdogsOf(dataDir: string): number[] {
  return processIds().filter((pid) => {
    const command = commandLineOf(pid)
    return command.includes('howdah-watchdog') && command.includes(dataDir)
  })
}
