import { Cluster } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { upgradeCluster } from '@howdah/upgrade'
import { expect, it } from 'vitest'
import { only } from './support/majors.ts'

const [from, to] = [15, 18]
const strategy = only(from, to)

it('a pinned server runs again afterwards, at its port and with its settings and password', async () => {
  // As root, the server's user does not get through it by its path.
  using home = temporaryDirectory({ mode: 0o700 })
  const old = new Cluster(home.file('data'), { strategy, runtime: String(from) })
  await old.start({ tcp: true, settings: { work_mem: '9MB' } })
  const before = await old.server({ tcp: true })
  const cluster = new Cluster(home.file('data'), { strategy })
  const upgraded = await upgradeCluster(cluster)
  expect(upgraded.outcome).toBe('modified')
  expect(await cluster.status()).toMatchObject({ state: 'running', pinned: true })
  const after = await cluster.server({ tcp: true })
  expect(after.url()).toBe(before.url())
  const client = await after.connect()
  const { rows } = await client.query(
    `SELECT current_setting('work_mem') AS work_mem, current_setting('server_version_num')::int / 10000 AS major`,
  )
  expect(rows).toEqual([{ work_mem: '9MB', major: to }])
  await client.end()
  await cluster.destroy()
})

it('a pinned server runs again after an upgrade that is refused', async () => {
  using home = temporaryDirectory()
  const old = new Cluster(home.file('data'), { strategy, runtime: String(from) })
  await old.start()
  const client = await (await old.server()).connect()
  await client.query('CREATE EXTENSION adminpack')
  await client.end()
  const cluster = new Cluster(home.file('data'), { strategy })
  await expect(upgradeCluster(cluster)).rejects.toMatchObject({ code: 'ERR_UPGRADE_LACKING' })
  expect(await cluster.status()).toMatchObject({ state: 'running', pinned: true })
  await cluster.destroy()
})

it('a fast cluster stays fast, one that archives no longer does, and what howdah did not make stays so', async () => {
  using home = temporaryDirectory()
  const old = new Cluster(home.file('data'), { strategy, runtime: String(from) })
  {
    await using session = await old.run({ mode: 'fast' })
    const client = await session.connect()
    await client.query(`ALTER SYSTEM SET archive_command = 'cp %p /nowhere/%f'`)
    await client.query(`ALTER SYSTEM SET archive_mode = on`)
  }
  const notices: string[] = []
  const cluster = new Cluster(home.file('data'), { strategy })
  await upgradeCluster(cluster, { onNotice: (notice) => notices.push(notice) })
  expect(notices).toEqual([
    'the setting archive_command (cp %p /nowhere/%f) was left out',
    'the setting archive_mode (on) was left out',
  ])
  expect(await cluster.mode()).toBe('fast')
  await using session = await cluster.run()
  expect(await session.setMode('safe')).toBe('modified')
  const client = await session.connect()
  expect((await client.query('SHOW archive_mode')).rows).toEqual([{ archive_mode: 'off' }])
})
