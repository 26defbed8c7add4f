import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { liveness, type ProcessIdentity } from '@howdah/lock'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { diagnose, type DiagnoseOptions, type Finding, isWrong } from '../src/index.ts'
import { postgresProcesses, segments } from '@howdah/data-directory'
import {
  isLeft,
  leaveBusyBackend,
  newest,
  outlivesItsFiles,
  postmastersOf,
  Worker,
} from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeEach(async () => {
  home = temporaryDirectory()
  // Other tests' commands free the shared memory of killed servers, if they know the clusters.
  vi.stubEnv('HOWDAH_STATE_DIR', home.file('state'))
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
})

afterEach(async () => {
  await cluster.stop({ force: true }).catch(() => undefined)
  for (const { identity } of await serverProcesses()) {
    // The first of them ends the others.
    if (liveness(identity) !== 'dead') quit(identity.pid)
  }
  await until('nothing of it runs', async () => (await serverProcesses()).length === 0)
  // With the shared memory of a server that was killed.
  await cluster.destroy({ force: true }).catch(() => undefined)
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

function quit(pid: number): void {
  try {
    process.kill(pid, 'SIGQUIT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const look = async (options: DiagnoseOptions = {}): Promise<Finding[]> =>
  await diagnose({
    dataDirs: [cluster.dataDir],
    scope: 'clusters',
    strategy: newest.strategy,
    ...options,
  })

const serverProcesses = async () =>
  ((await postgresProcesses([cluster.dataDir])) ?? []).filter(({ dataDir }) =>
    dataDir.startsWith(home.path),
  )

async function running(): Promise<number> {
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  return status.pid
}

/** Kills the server as a crash would, with all of its processes, and waits until the kernel has closed what they had. */
async function crash(): Promise<number> {
  const pid = await running()
  const used = new Set(postmastersOf([cluster.dataDir]).map(({ segment }) => segment?.[1]))
  process.kill(pid, 'SIGKILL')
  await until('nothing of it runs', async () => dead(pid) && (await serverProcesses()).length === 0)
  const isFree = () => segments().every(({ id, attached }) => attached === 0 || !used.has(id))
  await until('nothing is attached to its memory', isFree)
  return pid
}

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

const dead = (pid: number): boolean =>
  liveness({ pid, startTime: null, bootId: null, pidNamespace: null }) === 'dead'

it('finds nothing wrong with a cluster that is stopped, or runs, or is used, or is not there', async () => {
  expect(await look()).toEqual([])
  await cluster.start()
  expect(await look({ fix: true })).toEqual([])
  await cluster.stop()
  {
    await using session = await cluster.run()
    expect(await look({ fix: true })).toEqual([])
    expect(session.started).toBe('modified')
  }
  expect(await diagnose({ dataDirs: [home.file('nothing')], scope: 'clusters' })).toEqual([])
})

it('removes the pid file and the shared memory of a server that was killed', async () => {
  await cluster.start()
  const memory = postmastersOf([cluster.dataDir])
  expect(memory.some(isLeft)).toBe(true)
  const pid = await crash()
  const found = await look()
  expect(found).toEqual([
    expect.objectContaining({ check: 'shared-memory', fixable: true, fixed: false }),
    expect.objectContaining({ subject: { path: cluster.pidFile, pid }, fixable: true }),
    expect.objectContaining({ subject: { path: home.file('data', '.s.PGSQL.1.lock'), pid } }),
  ])
  expect(found[0]).toMatchObject({
    what: expect.stringContaining('its shared memory is still there'),
  })
  const segment = found[0]?.subject.segment
  const isThere = () => segments().some(({ id }) => id === segment)
  expect(isThere()).toBe(true)

  // The pid file goes along with the memory.
  expect((await look({ fix: true })).map(({ fixed }) => fixed)).toEqual([true, true])
  expect(isThere()).toBe(false)
  expect(memory.filter(isLeft)).toEqual([])
  expect(existsSync(cluster.pidFile)).toBe(false)
  expect(await look()).toEqual([])
  expect(await cluster.start()).toBe('modified')
})

it('does not take the shared memory of a killed server for that of a copy of its directory', async () => {
  await cluster.start()
  await crash()
  const copy = home.file('copy')
  // With its owner.
  execFileSync('cp', ['-a', cluster.dataDir, copy])
  const checks = ['shared-memory'] as const
  expect(await look({ dataDirs: [copy], checks })).toEqual([])
  expect(await look({ checks })).toHaveLength(1)
})

it('does not touch what a killed server has left while somebody changes the cluster', async () => {
  await cluster.start()
  await crash()
  const { acquire } = await import('@howdah/lock')
  using change = await acquire(cluster.dataDir)
  const found = await look({ fix: true })
  expect(change.held).toBe(true)
  expect(found.map(({ obstacle }) => obstacle)).toEqual(
    Array(3).fill(expect.stringContaining('somebody uses or changes it')),
  )
  expect(found.every(isWrong)).toBe(true)
  expect(existsSync(cluster.pidFile)).toBe(true)
})

it('tells a pid file whose pid is now that of somebody else, and leaves that one alone', async () => {
  const shell = spawn('sleep', ['600'], { cwd: cluster.dataDir })
  try {
    writeFileSync(
      cluster.pidFile,
      `${shell.pid}\n${cluster.dataDir}\n1700000000\n1\n.\n\n 1 2\nready\n`,
    )
    const [found] = await look({ fix: true })
    expect(found).toMatchObject({
      check: 'stale-pid-files',
      what: expect.stringContaining(`names process ${shell.pid}, which is not its server`),
      fixed: true,
    })
    expect(existsSync(cluster.pidFile)).toBe(false)
    expect(shell.exitCode ?? shell.signalCode).toBeNull()
  } finally {
    shell.kill()
  }
})

it('does not know what garbage in the pid file means, and leaves it', async () => {
  writeFileSync(cluster.pidFile, 'elephants\n')
  const found = await look({
    fix: true,
    checks: ['stray-servers', 'shared-memory', 'stale-pid-files'],
  })
  expect(found).toEqual([
    {
      check: 'stale-pid-files',
      severity: 'unknown',
      subject: { path: cluster.dataDir },
      what: expect.stringContaining('begins with "elephants'),
      cure: 'when you are sure that no server runs there, remove it',
      fixable: false,
      fixed: false,
      obstacle: null,
    },
  ])
  expect(existsSync(cluster.pidFile)).toBe(true)
})

it('ends the backends that a killed postmaster has left', async () => {
  await cluster.start()
  const backend = await leaveBusyBackend(cluster)
  const { pid } = backend.identity
  expect(await look({ checks: ['orphans'] })).toMatchObject([
    { severity: 'warning', cure: expect.stringContaining(`kill -QUIT`), fixable: true },
  ])
  expect(dead(pid)).toBe(false)
  const found = await look({ fix: true })
  expect(found.filter(({ check }) => check === 'orphans')).toMatchObject([
    { fixed: true, obstacle: null },
  ])
  expect(found.filter(isWrong)).toEqual([])
  expect(dead(pid)).toBe(true)
  expect(await backend.query).toBeInstanceOf(Error)
  expect(await cluster.start()).toBe('modified')
})

it('names the backends of a cluster that is not of howdah, and does not end them', async () => {
  await cluster.start()
  const backend = await leaveBusyBackend(cluster)
  rmSync(home.file('data', 'howdah.json'))
  const found = await look({ fix: true })
  expect(found.find(({ check }) => check === 'orphans')).toMatchObject({
    fixable: false,
    fixed: false,
  })
  expect(found.find(({ subject }) => subject.path === cluster.pidFile)).toMatchObject({
    fixed: false,
    obstacle: expect.stringContaining('end them first'),
  })
  expect(dead(backend.identity.pid)).toBe(false)
  process.kill(backend.identity.pid, 'SIGQUIT')
  await backend.query
})

const removed = linuxOnly('/proc, which tells that the directory of a process was removed')

it(
  'ends a server whose data directory was removed under it, with its shared memory',
  removed,
  async () => {
    await cluster.start({ settings: outlivesItsFiles })
    const pid = await running()
    rmSync(cluster.dataDir, { recursive: true })
    const [found, ...others] = await look()
    expect(others).toEqual([])
    expect(found).toMatchObject({
      check: 'stray-servers',
      subject: { path: cluster.dataDir, pid },
      fixable: true,
    })
    expect(dead(pid)).toBe(false)
    expect(await look({ fix: true })).toMatchObject([{ subject: { pid }, fixed: true }])
    expect(dead(pid)).toBe(true)
    expect(creatorsOfSharedMemory()).not.toContain(pid)
    expect(await look()).toEqual([])
  },
)

it('finds no server without a data directory once another has started in its place, because that has ended it', async () => {
  await cluster.start({ settings: outlivesItsFiles })
  const pid = await running()
  rmSync(cluster.dataDir, { recursive: true })
  await cluster.start()
  const other = await running()
  expect(dead(pid)).toBe(true)
  expect(await look({ fix: true })).toEqual([])
  expect(await running()).toBe(other)
})

const creatorsOfSharedMemory = () => segments().map(({ creator }) => creator)

it(
  'does not end a server without a data directory that howdah did not start',
  removed,
  async () => {
    const runtime = await cluster.runtime()
    const { uid, gid } = statSync(cluster.dataDir)
    const settings = Object.entries({ ...outlivesItsFiles, listen_addresses: '' })
    const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])
    args.push('-D', cluster.dataDir, '-k', '.', '-p', '1')
    const server = spawn(runtime.program('postgres'), args, {
      cwd: '/',
      stdio: 'ignore',
      ...(process.getuid?.() === 0 && { uid, gid }),
    })
    try {
      await until('it runs', () => /^ready/m.test(read(cluster.pidFile)))
      expect(await look({ fix: true })).toEqual([])
      rmSync(cluster.dataDir, { recursive: true })
      expect(await look({ fix: true })).toMatchObject([
        {
          check: 'stray-servers',
          subject: { pid: server.pid },
          cure: `end it with: kill -QUIT ${server.pid}`,
          fixable: false,
        },
      ])
      expect(server.exitCode ?? server.signalCode).toBeNull()
    } finally {
      server.kill('SIGQUIT')
      await until('it is gone', () => server.exitCode !== null || server.signalCode !== null)
    }
  },
)

it('leaves a server alone whose data directory was moved', async () => {
  await cluster.start()
  const pid = await running()
  const moved = new Cluster(home.file('moved (deleted)'), { strategy: newest.strategy })
  renameSync(cluster.dataDir, moved.dataDir)
  expect(await look({ fix: true })).toEqual([])
  expect(await look({ fix: true, dataDirs: [moved.dataDir] })).toEqual([])
  expect(await moved.status()).toMatchObject({ pid })
  await moved.stop({ force: true })
})

it('stops a server whose last user and whose watchdog were killed', async () => {
  const worker = new Worker('use', cluster.dataDir, newest)
  await worker.next()
  const pid = await running()
  const watchdog = await watchdogOf(cluster)
  process.kill(watchdog.pid, 'SIGKILL')
  await until('the watchdog is gone', () => liveness(watchdog) === 'dead')
  // As long as it is used, there is somebody to stop it.
  expect(await look({ fix: true })).toEqual([])
  await worker.kill()
  // What the watchdog had waiting for the lock has it for an instant.
  const found = await until('it is found', async () => {
    const findings = await look()
    return findings.length > 0 ? findings : null
  })
  expect(found).toMatchObject([{ check: 'stray-servers', subject: { pid }, fixable: true }])
  expect(await look({ fix: true })).toMatchObject([{ fixed: true }])
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await look()).toEqual([])
})

async function watchdogOf({ dataDir }: Cluster): Promise<ProcessIdentity> {
  const { inspect, identifyProcess, seeProcesses } = await import('@howdah/lock')
  const { ino } = statSync(dataDir)
  const seen = process.platform === 'linux' ? 'unknown' : seeProcesses()
  // It works in the data directory. Only Linux tells who holds its lock.
  const pid =
    seen === 'unknown'
      ? (await inspect(`${dataDir}/global`)).holders[0]?.pid
      : seen.find(
          ({ command, directory }) =>
            /node-watchdog/.test(command ?? '') && directory?.endsWith(`:${ino}`),
        )?.pid
  const identity = identifyProcess(pid ?? 0)
  if (identity === null) throw new Error('there is no watchdog')
  return identity
}
