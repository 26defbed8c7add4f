import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { killed, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess, liveness } from '@howdah/lock'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { Cluster } from '../../src/index.ts'
import {
  everyPostgres,
  isLeft,
  leaveBusyBackend,
  newest,
  postmastersOf,
} from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeAll(async () => {
  home = temporaryDirectory()
  // Other tests' commands free the shared memory of killed servers, if they know the clusters.
  vi.stubEnv('HOWDAH_STATE_DIR', home.file('state'))
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
})

beforeEach(async () => {
  writeFileSync(cluster.pidFile, '')
  await cluster.stop({ force: true }).catch(() => undefined)
})

afterAll(async () => {
  await cluster.stop({ force: true }).catch(() => undefined)
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

/** What a server that ran there before has left. */
const leftBy = (pid: number | string) =>
  writeFileSync(
    cluster.pidFile,
    `${pid}\n${cluster.dataDir}\n1700000000\n1\n.\n\n  1  2\nready   \n`,
  )

it('is stopped if the pid file names a process that is gone', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  leftBy(child.pid ?? 0)
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await cluster.start()).toBe('modified')
  await cluster.stop()
})

it('is stopped if the pid in the file is now that of somebody else, who is left alone', async () => {
  // In the data directory even, and of the same user: a shell that looks around.
  const shell = spawn('sleep', ['600'], { cwd: cluster.dataDir })
  try {
    leftBy(shell.pid ?? 0)
    expect(await cluster.status()).toMatchObject({ state: 'stopped' })
    expect(await cluster.stop()).toBe('unmodified')
    expect(await cluster.start()).toBe('modified')
    expect(await cluster.status()).toMatchObject({ state: 'running', ours: true })
    await cluster.stop()
    expect(shell.exitCode).toBeNull()
    expect(shell.signalCode).toBeNull()
  } finally {
    shell.kill()
  }
})

it('is stopped if the pid in the file is now that of the server of another cluster, which is left alone', async () => {
  const neighbour = new Cluster(home.file('neighbour'), newest)
  await using session = await neighbour.run({ throwAway: true })
  const { pid } = (await neighbour.status()) as { pid: number }
  leftBy(pid)
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await cluster.stop({ force: true })).toBe('unmodified')
  expect(await cluster.start()).toBe('modified')
  await cluster.stop()
  expect(await neighbour.status()).toMatchObject({ state: 'running', pid })
  expect(await session.databases()).toContain('postgres')
})

it('starts if the pid in the file is that of a process that has ended, and that nobody has waited for', async () => {
  const { uid } = statSync(cluster.dataDir)
  // The second program does not know of the child of the first.
  const shell = spawn('sh', ['-c', 'cat <&3 >/dev/null & echo $!; exec sleep 600 3<&-'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    ...(process.getuid?.() === 0 && { uid }),
  })
  try {
    const [line] = (await once(shell.stdout!, 'data')) as [Buffer]
    const pid = Number(line.toString())
    const program = () =>
      execFileSync('ps', ['-p', String(shell.pid), '-o', 'comm='], { encoding: 'utf8' })
    await until('it is the second program', () => program().trim().endsWith('sleep'))
    ;(shell.stdio[3] as Writable).end()
    await until('it has ended', () => identifyProcess(pid) === null)
    expect(process.kill(pid, 0)).toBe(true)
    leftBy(pid)
    expect(await cluster.status()).toMatchObject({ state: 'stopped' })
    expect(await cluster.start()).toBe('modified')
    await cluster.stop()
  } finally {
    shell.kill()
  }
})

it.each([
  ['nothing', ''],
  ['garbage', 'elephants\n'],
  ['zeros, as after a power failure', '\0'.repeat(92)],
  ['no process', '0\n'],
  ['a process group', '-1x\n'],
  ['a megabyte', 'x'.repeat(1_000_000)],
])('is stopped if the pid file holds %s, for the kernel knows of no server', async (_, content) => {
  writeFileSync(cluster.pidFile, content)
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await cluster.stop()).toBe('unmodified')
  expect(readFileSync(cluster.pidFile, 'utf8')).toBe(content)
  expect(await cluster.start()).toBe('modified')
  expect(await cluster.status()).toMatchObject({ state: 'running', ours: true })
  await cluster.stop()
})

it.each(['stop', 'destroy'] as const)(
  'does not know, and says so, if the pid file of a running server holds nothing; %s with force ends that server',
  async (call) => {
    using own = temporaryDirectory()
    const lone = new Cluster(own.file('data'), { strategy: newest.strategy })
    await using session = await lone.run()
    expect(session.started).toBe('modified')
    const { pid } = (await lone.status()) as { pid: number }
    const server = identifyProcess(pid)!
    writeFileSync(lone.pidFile, '')
    await expect(lone.status()).rejects.toMatchObject({
      code: 'ERR_CLUSTER_UNKNOWN_STATUS',
      message: expect.stringContaining(
        `is empty and so names no process, and a server runs there (pid ${pid})`,
      ),
    })
    expect(await lone[call]({ force: true })).toBe('modified')
    expect(liveness(server)).toBe('dead')
    expect(await lone.status()).toMatchObject({
      state: call === 'stop' ? 'stopped' : 'missing',
    })
  },
)

it('is stopped when the postmaster was killed, and starts again', async () => {
  leftBy(2 ** 22 + 1)
  await cluster.start()
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  process.kill(status.pid, 'SIGKILL')
  await until('the postmaster is gone', async () => !(await cluster.running()))
  expect(await cluster.start()).toBe('modified')
  await cluster.stop()
})

it('ends a busy backend of a killed postmaster before it starts again', async () => {
  leftBy(2 ** 22 + 1)
  await cluster.start()
  const backend = await leaveBusyBackend(cluster)
  expect(await cluster.start()).toBe('modified')
  expect(await backend.query).toBeInstanceOf(Error)
  expect(liveness(backend.identity)).toBe('dead')
  await cluster.stop()
})

// Before 13 the key of the shared memory, by which a server finds it in use, comes from the port.
it.each(everyPostgres.filter(({ major }) => major === 12 || major === newest.major))(
  'ends the backend even if it starts on another port, on $name',
  async ({ strategy }) => {
    const other = new Cluster(home.file('other'), { strategy })
    try {
      await other.start()
      const backend = await leaveBusyBackend(other)
      expect(await other.start({ tcp: true })).toBe('modified')
      expect(await backend.query).toBeInstanceOf(Error)
      expect(liveness(backend.identity)).toBe('dead')
    } finally {
      await other.destroy({ force: true })
    }
  },
)

it('ends the backend even if the pid of the killed postmaster is now that of somebody else', async () => {
  leftBy(2 ** 22 + 1)
  await cluster.start()
  const backend = await leaveBusyBackend(cluster)
  const shell = spawn('sleep', ['600'])
  try {
    const [, ...rest] = readFileSync(cluster.pidFile, 'utf8').split('\n')
    writeFileSync(cluster.pidFile, [shell.pid, ...rest].join('\n'))
    expect(await cluster.start()).toBe('modified')
    expect(await backend.query).toBeInstanceOf(Error)
    await cluster.stop()
    expect(shell.exitCode ?? shell.signalCode).toBeNull()
  } finally {
    shell.kill()
  }
})

it('starts if the pid in what it left beside its socket is now that of somebody else', async () => {
  leftBy(2 ** 22 + 1)
  await cluster.start()
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  process.kill(status.pid, 'SIGKILL')
  await until('the postmaster is gone', async () => !(await cluster.running()))
  const { uid } = statSync(cluster.dataDir)
  const shell = spawn('sleep', ['600'], { ...(process.getuid?.() === 0 && { uid }) })
  try {
    for (const file of [cluster.pidFile, home.file('data', '.s.PGSQL.1.lock')]) {
      const [, ...rest] = readFileSync(file, 'utf8').split('\n')
      writeFileSync(file, [shell.pid, ...rest].join('\n'))
    }
    expect(await cluster.start()).toBe('modified')
    await cluster.stop()
  } finally {
    shell.kill()
  }
})

// Before 13 all servers want the same keys for their shared memory, so that a killed one often had another than the next.
it.each(everyPostgres.filter(({ major }) => major < 13))(
  'leaves no segment of a killed server once it runs again, though its key is another now, on $name',
  async ({ strategy }) => {
    const [holder, other] = ['holder', 'killed'].map(
      (name) => new Cluster(home.file(name), { strategy }),
    ) as [Cluster, Cluster]
    try {
      await holder.start()
      await other.start()
      const held = postmastersOf([other.dataDir])
      const isSegmentLeft = () => held.map(({ segment }) => isLeft({ segment, files: [] }))
      for (const { pid } of held) process.kill(pid, 'SIGKILL')
      await until('its server is gone', async () => !(await other.running()))
      expect(isSegmentLeft()).toEqual([true])
      await holder.stop()
      await other.start()
      expect(isSegmentLeft()).toEqual([false])
    } finally {
      await holder.destroy({ force: true })
      await other.destroy({ force: true })
    }
  },
)

// Before 13, the next server at the same port gives the shared memory back.
it.each(everyPostgres.filter(({ major }) => major >= 13))(
  'is destroyed with what its killed postmaster has left, on $name',
  async ({ strategy }) => {
    const other = new Cluster(home.file('killed'), { strategy })
    await other.start()
    const held = postmastersOf([other.dataDir])
    const backend = await leaveBusyBackend(other)
    expect(held.map(isLeft)).toEqual([true])
    expect(await other.destroy()).toBe('modified')
    expect(liveness(backend.identity)).toBe('dead')
    expect(held.map(isLeft)).toEqual([false])
  },
)

it.each(everyPostgres.filter(({ major }) => major >= 13))(
  'leaves nothing of its killed postmaster if it is asked for its superusers, even if another process has its pid, on $name',
  async ({ strategy }) => {
    const other = new Cluster(home.file('asked'), { strategy })
    await other.start()
    const held = postmastersOf([other.dataDir])
    for (const { pid } of held) process.kill(pid, 'SIGKILL')
    await until('its server is gone', async () => !(await other.running()))
    expect(held.map(isLeft)).toEqual([true])
    const { uid, gid } = statSync(other.dataDir)
    using taker = killed(spawn('sleep', ['600'], { uid, gid }))
    await once(taker, 'spawn')
    const file = `${other.dataDir}/postmaster.pid`
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(taker.pid)))
    expect(await other.superusers()).toHaveLength(1)
    expect(held.map(isLeft)).toEqual([false])
    await other.destroy()
  },
)
