import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { liveness } from '@howdah/lock'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Cluster } from '../src/index.ts'
import { newest } from './support/postgres.ts'

let home: TemporaryDirectory
let cluster: Cluster

beforeAll(async () => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
})

beforeEach(async () => {
  writeFileSync(cluster.pidFile, '')
  await cluster.stop({ force: true }).catch(() => undefined)
})

afterAll(async () => {
  await cluster.stop({ force: true }).catch(() => undefined)
  home[Symbol.dispose]()
})

/** What a server that ran there before has left. */
const leftBy = (pid: number | string) =>
  writeFileSync(
    cluster.pidFile,
    `${pid}\n${cluster.dataDir}\n1700000000\n1\n.\n\n  1  2\nready   \n`,
  )

it('is stopped where the pid file names a process that is gone', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  leftBy(child.pid ?? 0)
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
  expect(await cluster.start()).toBe('modified')
  await cluster.stop()
})

it('is stopped where the pid in the file is now that of somebody else, who is left alone', async () => {
  // In the data directory even, and of the same user: a shell that looks around.
  const owner = readFileSync('/proc/self/status', 'utf8')
  expect(owner).toContain('Uid:')
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

it.each([
  ['nothing', '', 'is empty'],
  ['garbage', 'elephants\n', 'begins with "elephants'],
  ['no process', '0\n', 'begins with "0'],
  ['a process group', '-1x\n', 'begins with "-1x'],
  ['a megabyte', 'x'.repeat(1_000_000), 'begins with "xxx'],
])('does not know, and says so, where the pid file holds %s', async (_, content, why) => {
  writeFileSync(cluster.pidFile, content)
  const unknown = { code: 'ERR_CLUSTER_UNKNOWN_STATUS', message: expect.stringContaining(why) }
  await expect(cluster.status()).rejects.toMatchObject(unknown)
  await expect(cluster.run()).rejects.toMatchObject(unknown)
  await expect(cluster.stop()).rejects.toMatchObject(unknown)
  await expect(cluster.destroy()).rejects.toMatchObject(unknown)
  expect(readFileSync(cluster.pidFile, 'utf8')).toBe(content)
})

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

it('starts again although a busy backend of a killed postmaster lives on', async () => {
  leftBy(2 ** 22 + 1)
  await cluster.start()
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  const client = await (await cluster.server()).connect()
  client.on('error', () => undefined)
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  // Neither reads from its client nor waits for anything, so it does not notice that its postmaster is gone.
  const busy = client
    .query(`DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$`)
    .catch((error: Error) => error)
  await until('the backend is busy', async () => {
    const other = await (await cluster.server()).connect()
    const { rows: active } = await other.query(
      `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`,
      [rows[0].pid],
    )
    await other.end()
    return active.length > 0
  })
  process.kill(status.pid, 'SIGKILL')
  await until('the postmaster is gone', async () => !(await cluster.running()))

  expect(await cluster.start()).toBe('modified')
  expect(await busy).toBeInstanceOf(Error)
  expect(
    liveness({ pid: rows[0].pid, startTime: null, bootId: null, pidNamespace: null }),
  ).not.toBe('alive')
  await cluster.stop()
})
