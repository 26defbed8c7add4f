import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Cluster, type Session } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { everyPostgres, Worker } from '@howdah/postgres-fixtures'
import { upgradeCluster } from '@howdah/upgrade'
import { describe, expect, it } from 'vitest'
import { only } from './support/majors.ts'

const [from, to] = [15, 18]
const strategy = only(from, to)

/** A cluster of the old major, which must be as it was at the end. */
async function unchanged(
  prepare: (session: Session) => Promise<void>,
  refuse: (cluster: Cluster) => Promise<void>,
  major = from,
): Promise<void> {
  using home = temporaryDirectory()
  const both = only(major, to)
  const old = new Cluster(home.file('data'), { strategy: both, runtime: String(major) })
  {
    await using session = await old.run({ settings })
    const client = await session.connect()
    await client.query('CREATE TABLE t AS SELECT 1 AS n')
    await prepare(session)
  }
  await refuse(new Cluster(home.file('data'), { strategy: both }))
  expect(readdirSync(home.path).filter((name) => name.endsWith('.upgrade'))).toEqual([])
  await using session = await old.run({ settings })
  const client = await session.connect()
  expect((await client.query('SELECT n FROM t')).rows).toEqual([{ n: 1 }])
}

/** Those of the command line, which an upgrade is to be told. */
const settings = { max_prepared_transactions: '2' }

const nothing = () => Promise.resolve()
const doing = (sql: string) => async (session: Session) => {
  const client = await session.connect()
  for (const statement of sql.split(';\n')) await client.query(statement)
}

describe('is refused before anything is done', () => {
  it('while others use the cluster, and names them', async () => {
    await unchanged(nothing, async (cluster) => {
      const subject = everyPostgres.find(({ major }) => major === from)
      await using worker = new Worker('use', cluster.dataDir, subject!)
      await worker.next()
      await expect(upgradeCluster(cluster)).rejects.toMatchObject({
        code: 'ERR_CLUSTER_IN_USE',
        message: expect.stringContaining(`by pid ${worker.process.pid}`) as unknown,
      })
      await worker.leave()
    })
  })

  it('while somebody is connected to a pinned server, and names the client', async () => {
    await unchanged(nothing, async (cluster) => {
      const old = new Cluster(cluster.dataDir, { strategy, runtime: String(from) })
      await old.start()
      const server = await old.server()
      const client = await server.connect({ application_name: 'accounts' })
      await expect(upgradeCluster(cluster)).rejects.toMatchObject({
        code: 'ERR_CLUSTER_IN_USE',
        message: expect.stringMatching(/accounts in database postgres\).*howdah stop/) as unknown,
      })
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      await client.end()
      await old.stop()
    })
  })

  it('if the new PostgreSQL lacks an extension or a setting, and names all of them', async () => {
    const prepare = doing(
      `CREATE EXTENSION adminpack;\nCREATE EXTENSION hstore;\nCREATE ROLE old;
       ALTER ROLE old SET operator_precedence_warning = on;\nALTER ROLE old SET my.setting = 1`,
    )
    await unchanged(
      prepare,
      async (cluster) => {
        await expect(upgradeCluster(cluster)).rejects.toMatchObject({
          code: 'ERR_UPGRADE_LACKING',
          lacking: [
            'setting operator_precedence_warning (role old)',
            'extension adminpack (database postgres)',
          ],
        })
      },
      13,
    )
  })

  it.each([
    [
      'prepared transactions',
      "BEGIN;\nINSERT INTO t VALUES (2);\nPREPARE TRANSACTION 'two'",
      /prepared transactions \('two' in database postgres\)/,
    ],
    [
      'a database that nobody may connect to',
      'CREATE DATABASE closed ALLOW_CONNECTIONS false',
      /database closed.*ALTER DATABASE closed ALLOW_CONNECTIONS true/,
    ],
  ])('because of %s', async (_name, sql, why) => {
    await unchanged(doing(sql), async (cluster) => {
      await expect(upgradeCluster(cluster, { settings })).rejects.toMatchObject({
        code: 'ERR_UPGRADE_UNSUPPORTED',
        message: expect.stringMatching(why) as unknown,
      })
    })
  })

  it('to an older major, to one that is not there, and if the place of the old one is taken', async () => {
    await unchanged(nothing, async (cluster) => {
      const older = new Cluster(cluster.dataDir, { strategy: only(13, from) })
      await expect(upgradeCluster(older, { to: '13' })).rejects.toMatchObject({
        code: 'ERR_UPGRADE_NOT_NEWER',
      })
      await expect(upgradeCluster(cluster, { to: '17' })).rejects.toMatchObject({
        code: 'ERR_RUNTIME_NOT_FOUND',
        wanted: '17',
      })
      await expect(upgradeCluster(older)).resolves.toMatchObject({ outcome: 'unmodified' })
      mkdirSync(`${cluster.dataDir}.pg${from}`)
      await expect(upgradeCluster(cluster)).rejects.toMatchObject({
        code: 'ERR_UPGRADE_IN_THE_WAY',
        path: `${cluster.dataDir}.pg${from}`,
      })
    })
  })

  it('if something else lies where the new one is made', async () => {
    await unchanged(nothing, async (cluster) => {
      // Also a cluster of that version that no upgrade has made.
      const other = new Cluster(`${cluster.dataDir}.upgrade`, { strategy, runtime: String(to) })
      await other.create()
      await expect(upgradeCluster(cluster)).rejects.toMatchObject({
        code: 'ERR_UPGRADE_IN_THE_WAY',
      })
      expect(await other.exists()).toBe(true)
      await other.destroy()
      const making = `${cluster.dataDir}.upgrade`
      mkdirSync(making)
      writeFileSync(`${making}/mine`, '')
      await expect(upgradeCluster(cluster)).rejects.toMatchObject({
        code: 'ERR_UPGRADE_IN_THE_WAY',
        path: making,
      })
      expect(readdirSync(making)).toEqual(['mine'])
      rmSync(making, { recursive: true })
    })
  })
})

it('a statement that the new PostgreSQL refuses ends the upgrade, with its words', async () => {
  const library = `CREATE FUNCTION old(text, text, bool) RETURNS bigint LANGUAGE c AS '$libdir/adminpack', 'pg_file_write'`
  await unchanged(doing(library), async (cluster) => {
    await expect(upgradeCluster(cluster)).rejects.toMatchObject({
      code: 'ERR_UPGRADE_FAILED',
      message: expect.stringMatching(/database postgres: .*adminpack/s) as unknown,
    })
  })
})

it('an upgrade that is aborted leaves the old cluster as it was', async () => {
  await unchanged(nothing, async (cluster) => {
    const ending = new AbortController()
    const reason = new Error('enough')
    const upgrading = upgradeCluster(cluster, {
      signal: ending.signal,
      onProgress: ({ step }) => {
        if (step === 'verifying') ending.abort(reason)
      },
    })
    await expect(upgrading).rejects.toBe(reason)
  })
})
