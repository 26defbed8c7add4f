import { renameSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { Cluster, readSystemIdentifier } from '../../src/index.ts'

const { strategy } = newest

/** A cluster with a running server and a row, of which neither is on the disk but in WAL. */
async function movedWhileItRuns(from: string, to: string): Promise<Cluster> {
  const cluster = new Cluster(from, { strategy })
  await cluster.start()
  {
    await using session = await cluster.run()
    await (await session.pool()).query('CREATE TABLE kept AS SELECT 1 AS n')
  }
  renameSync(from, to)
  return new Cluster(to, { strategy })
}

async function rowOf(cluster: Cluster): Promise<unknown> {
  await using session = await cluster.run({ ifExists: true })
  return (await (await session.pool()).query('SELECT n FROM kept')).rows
}

it('a server whose directory was moved writes nothing to a cluster that is made at its old path', async () => {
  using home = temporaryDirectory()
  const path = home.file('data')
  const moved = await movedWhileItRuns(path, home.file('moved'))
  const other = new Cluster(path, { strategy })
  await other.create()
  const identifier = await readSystemIdentifier(path)
  // Told to end in the usual way, it would write its last checkpoint there.
  expect(await moved.stop()).toBe('modified')
  expect(await readSystemIdentifier(path)).toBe(identifier)
  expect(await rowOf(moved)).toEqual([{ n: 1 }])
  await other.destroy()
})

it('a server whose directory was moved is ended before another one starts at its old path', async () => {
  using home = temporaryDirectory()
  const path = home.file('data')
  const moved = await movedWhileItRuns(path, home.file('moved'))
  const other = new Cluster(path, { strategy })
  await using session = await other.run()
  expect(await moved.running()).toBe(false)
  expect((await (await session.pool()).query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  expect(await rowOf(moved)).toEqual([{ n: 1 }])
})
