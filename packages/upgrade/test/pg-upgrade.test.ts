import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { onlyIf, postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { everyPostgres } from '@howdah/postgres-fixtures'
import { bundled, chain, onPath, type Runtime, runtimeIn } from '@howdah/runtime'
import { upgradeCluster } from '@howdah/upgrade'
import { describe, expect, it } from 'vitest'

/** A whole PostgreSQL of this machine. */
const whole = (
  await Promise.all(
    everyPostgres.map(async ({ place }) =>
      'bindir' in place ? await runtimeIn(place.bindir) : null,
    ),
  )
).find((runtime) => runtime?.has('pg_upgrade') === true)
const older = whole ? postgresPackage(whole.version.major - 1) : null
const condition = onlyIf(whole != null && older !== null, 'no PostgreSQL here has pg_upgrade')

/**
 * The programs of a bundled PostgreSQL, with the two that pg_upgrade wants besides: those of the next major, which read the
 * same file, and say that they are of this one.
 */
function wholeOlder(directory: string, { bindir, version }: Runtime): string {
  const native = dirname(bindir)
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['lib', 'share']) symlinkSync(join(native, name), join(directory, name))
  for (const name of readdirSync(join(native, 'bin'))) {
    copyFileSync(join(native, 'bin', name), join(bin, name))
    chmodSync(join(bin, name), 0o755)
  }
  const control = join(whole?.bindir ?? '', 'pg_controldata')
  const reset = `dir=$(echo "$*" | sed 's/^-n *//'); ${control} "$dir" | sed "p;s/^Latest checkpoint's REDO WAL file:/First log segment after reset:/"`
  const programs = { pg_controldata: `exec ${control} "$@"`, pg_resetwal: reset }
  for (const [name, command] of Object.entries(programs)) {
    const script = `#!/bin/sh\ncase "$1" in -V|--version) echo "${name} (PostgreSQL) ${version.toString()}";; *) ${command};; esac\n`
    writeFileSync(join(bin, name), script, { mode: 0o755 })
  }
  return bin
}

describe.skipIf(condition.skip)(
  'pg_upgrade, if both PostgreSQLs have their client programs',
  () => {
    it('makes the new cluster of copies of the files, which is verified as any', async () => {
      using home = temporaryDirectory()
      const plain = await bundled({ packages: [older ?? ''] }).fallback()
      const bin = wholeOlder(home.file('old'), plain!)
      const strategy = chain(onPath([bin]), onPath([whole?.bindir ?? '']))
      const cluster = new Cluster(home.file('data'), { strategy })
      const old = new Cluster(home.file('data'), { strategy, runtime: bin })
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
      expect(
        (await (await former.connect()).query('SELECT count(*)::int AS n FROM t')).rows,
      ).toEqual([{ n: 1000 }])
    })
  },
)
