import { readdirSync } from 'node:fs'
import { Cluster } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { upgradeCluster } from '@howdah/upgrade'
import { describe, expect, it } from 'vitest'
import { twoWhole } from './support/whole.ts'

describe.skipIf(twoWhole.skip)('pg_upgrade, if both PostgreSQLs have their client programs', () => {
  it('makes the new cluster of copies of the files, which is verified as any', async () => {
    using home = temporaryDirectory()
    const { bindirs, strategy } = await twoWhole.in(home.file('old'))
    const cluster = new Cluster(home.file('data'), { strategy })
    const old = new Cluster(home.file('data'), { strategy, runtime: bindirs[0] })
    {
      await using session = await old.run({ database: 'app' })
      const client = await session.connect()
      await client.query('CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n')
      await client.query('CREATE ROLE someone LOGIN')
      await client.query(`ALTER SYSTEM SET work_mem = '7MB'`)
    }
    const notices: string[] = []
    const upgraded = await upgradeCluster(cluster, { onNotice: (notice) => notices.push(notice) })
    expect(notices).toEqual([])
    expect(upgraded).toMatchObject({ outcome: 'modified', method: 'pg_upgrade' })
    expect(upgraded.databases).toContainEqual({
      name: 'app',
      tables: 1,
      rows: 1000,
      sequences: 0,
    })
    expect(readdirSync(cluster.dataDir).filter((name) => /upgrade|delete/.test(name))).toEqual([])
    await using session = await cluster.run({ database: 'app' })
    const client = await session.connect()
    const { rows } = await client.query(
      `SELECT count(*)::int AS n, current_setting('work_mem') AS m FROM t`,
    )
    expect(rows).toEqual([{ n: 1000, m: '7MB' }])
    await using former = await new Cluster(upgraded.former ?? '', { strategy }).run({
      database: 'app',
    })
    expect((await (await former.connect()).query('SELECT count(*)::int AS n FROM t')).rows).toEqual(
      [{ n: 1000 }],
    )
  })
})
