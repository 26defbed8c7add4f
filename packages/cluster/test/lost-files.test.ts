import { renameSync, rmSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '../src/index.ts'
import { newest } from './support/postgres.ts'
import { processesBelow } from './support/postmasters.ts'

it('a server whose PG_VERSION was removed is not called stopped, and nothing is made or removed there', async () => {
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
  await expect(cluster.destroy({ force: true })).rejects.toMatchObject(unknown)
  await expect(cluster.run()).rejects.toMatchObject(unknown)
  renameSync(`${file}.away`, file)
  expect(await cluster.stop()).toBe('modified')
})

it('a server whose directory was removed ends with its last user, and another cluster may be made there', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const session = await cluster.run()
  const { pid } = (await cluster.status()) as { pid: number }
  rmSync(cluster.dataDir, { recursive: true })
  await using other = await cluster.run()
  expect(other.started).toBe('modified')
  expect(processesBelow(home.path)).toContain(pid)
  await session.leave()
  await until('the first server is gone', () => !processesBelow(home.path).includes(pid))
  expect(await cluster.running()).toBe(true)
})
