import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { diagnose } from '@howdah/doctor'
import { newest, outlivesItsFiles, processesBelow } from '@howdah/postgres-fixtures'

it('a server without its PG_VERSION does not count as stopped, and nothing is made or removed there', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.start()
  const file = home.file('data', 'PG_VERSION')
  renameSync(file, `${file}.away`)
  const unknown = {
    code: 'ERR_CLUSTER_UNKNOWN_STATUS',
    message: expect.stringMatching(
      /its PG_VERSION was removed while a server runs there \(pid \d+\)/,
    ),
  }
  await expect(cluster.status()).rejects.toMatchObject(unknown)
  await expect(cluster.stop()).rejects.toMatchObject(unknown)
  await expect(cluster.destroy()).rejects.toMatchObject(unknown)
  await expect(cluster.run()).rejects.toMatchObject(unknown)
  renameSync(`${file}.away`, file)
  expect(await cluster.stop()).toBe('modified')
})

it('a server without its directory ends when another cluster is made there, because its checkpoints would write into that', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const session = await cluster.run({ settings: outlivesItsFiles })
  const { pid } = (await cluster.status()) as { pid: number }
  rmSync(cluster.dataDir, { recursive: true })
  await using other = await cluster.run()
  expect(other.started).toBe('modified')
  await until('the first server is gone', () => !processesBelow(home.path).includes(pid))
  await session.leave()
  expect(await cluster.running()).toBe(true)
})

it('stop with force ends the server that works in a directory without PG_VERSION, and no other server', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const other = new Cluster(home.file('other'), { strategy: newest.strategy })
  await cluster.start()
  await other.start()
  // What a pid file and a record of another directory say of that one's server proves nothing here.
  for (const name of ['postmaster.pid', 'howdah.run']) {
    copyFileSync(home.file('other', name), home.file('data', name))
  }
  const file = home.file('data', 'PG_VERSION')
  renameSync(file, `${file}.away`)
  expect(await cluster.stop({ force: true })).toBe('modified')
  expect(await other.running()).toBe(true)
  expect(await other.stop()).toBe('modified')
  expect(processesBelow(home.path)).toEqual([])
  renameSync(`${file}.away`, file)
  await using session = await cluster.run()
  await session.connect().then(async (client) => await client.end())
})

it('destroy with force ends a server without PG_VERSION under its users, and removes the directory', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const session = await cluster.run()
  const { pid } = (await cluster.status()) as { pid: number }
  rmSync(home.file('data', 'PG_VERSION'))
  rmSync(home.file('data', 'postmaster.pid'))
  expect(await cluster.destroy({ force: true })).toBe('modified')
  expect(existsSync(cluster.dataDir)).toBe(false)
  expect(processesBelow(home.path)).not.toContain(pid)
  await session.leave()
  await until('its watchdog is gone', () => processesBelow(home.path).length === 0)
})

it('a cluster that was moved while in use can be stopped by force only at its new path', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const session = await cluster.run()
  const { pid } = (await cluster.status()) as { pid: number }
  renameSync(home.file('data'), home.file('moved'))
  expect(await cluster.stop({ force: true })).toBe('unmodified')
  const moved = new Cluster(home.file('moved'), { strategy: newest.strategy })
  await expect(moved.stop()).rejects.toMatchObject({ code: 'ERR_CLUSTER_IN_USE' })
  expect(await moved.stop({ force: true })).toBe('modified')
  expect(processesBelow(home.path)).not.toContain(pid)
  await session.leave()
  await until('its watchdog is gone', () => processesBelow(home.path).length === 0)
})

it('doctor finds a cluster whose PG_VERSION was removed, running or stopped, and puts it back', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const options = {
    dataDirs: [cluster.dataDir],
    scope: 'clusters',
    checks: ['lost-files'],
    strategy: newest.strategy,
  } as const
  await cluster.start()
  expect(await diagnose(options)).toEqual([])
  for (const state of ['running', 'stopped']) {
    rmSync(home.file('data', 'PG_VERSION'))
    const what = expect.stringContaining('PG_VERSION')
    expect(await diagnose(options)).toMatchObject([{ severity: 'error', what, fixable: true }])
    expect(await diagnose({ ...options, fix: true })).toMatchObject([{ fixed: true }])
    expect(await cluster.status()).toMatchObject({ state })
    await cluster.stop()
  }
  await using session = await cluster.run()
  rmSync(home.file('data', 'PG_VERSION'))
  // The users' lock lies on the file that was removed.
  const used = { fixed: false, obstacle: expect.stringContaining('uses') }
  expect(await diagnose({ ...options, fix: true })).toMatchObject([used])
  await session.connect().then(async (client) => await client.end())
})
