import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  chownSync,
  statSync,
} from 'node:fs'
import { Cluster, readSystemIdentifier, type Session } from '@howdah/cluster'
import { dump, load } from '@howdah/dump'
import { temporaryDirectory } from '@howdah/fixtures'
import { everything, roles } from '@howdah/postgres-fixtures'
import { dropFormerClusters, upgradeCluster } from '@howdah/upgrade'
import { Client, escapeIdentifier } from 'pg'
import { describe, expect, it } from 'vitest'
import { only, pairs } from './support/majors.ts'

describe.concurrent.each(pairs)('from $name', ({ from, to }) => {
  it('a cluster with everything is the same afterwards, and the old one is kept until it is dropped', async () => {
    using home = temporaryDirectory()
    const strategy = only(from, to)
    const cluster = new Cluster(home.file('data'), { strategy, runtime: String(from) })
    const space = home.file('space')
    let password: string | null
    let before: Map<string, string>
    {
      await using session = await cluster.run({ tcp: true, settings: { wal_level: 'logical' } })
      makeSpace(space, cluster.dataDir)
      await fill(session, home.file('fill.sql'), from, space)
      ;({ password } = session.address)
      before = await dumpsOf(session, home.file('dump.sql'))
    }
    const hba = readFileSync(home.file('data/pg_hba.conf'), 'utf8')
    const identifier = await readSystemIdentifier(cluster.dataDir)

    const after = new Cluster(home.file('data'), { strategy })
    const steps: string[] = []
    const notices: string[] = []
    const upgraded = await upgradeCluster(after, {
      onProgress: ({ step }) => steps.push(step),
      onNotice: (notice) => notices.push(notice),
    })
    const former = home.file(`data.pg${from}`)
    expect(upgraded).toMatchObject({
      outcome: 'modified',
      from: String(from),
      to: expect.stringMatching(new RegExp(String.raw`^${to}\.`)) as unknown,
      method: 'dump',
      former,
    })
    expect(upgraded.databases.map(({ name }) => name)).toEqual([
      odd,
      'app',
      'postgres',
      'template1',
    ])
    expect(upgraded.databases.find(({ name }) => name === 'app')?.rows).toBeGreaterThan(50)
    expect([...new Set(steps)]).toEqual([
      'preparing',
      'creating',
      'loading',
      'verifying',
      'syncing',
      'swapping',
      'swapped',
    ])
    expect(notices).toEqual(['subscriptions are disabled until they are enabled again: far_items'])
    expect(readdirSync(home.path).toSorted()).toEqual([
      'data',
      `data.pg${from}`,
      'dump.sql',
      'fill.sql',
      'space',
    ])
    expect(await readSystemIdentifier(cluster.dataDir)).not.toBe(identifier)
    expect(readFileSync(home.file('data/pg_hba.conf'), 'utf8')).toBe(hba)
    {
      const kept = new Cluster(former, { strategy })
      await using session = await kept.run()
      expect(await rowOf(session, odd, countSql)).toEqual({ n: 5000 })
    }
    expect(readdirSync(space)).toHaveLength(2)
    await expect(dropFormerClusters(after)).resolves.toEqual([former])
    expect(existsSync(former)).toBe(false)
    expect(readdirSync(space)).toEqual([expect.stringMatching(new RegExp(`^PG_${to}_`))])
    await expect(upgradeCluster(after)).resolves.toMatchObject({ outcome: 'unmodified' })
    await using session = await after.run({ tcp: true })
    expect(session.runtime.version.major).toBe(to)
    expect(session.address.password).toBe(password)
    const dumps = await dumpsOf(session, home.file('dump.sql'))
    expect(objectsIn(dumps)).toEqual(objectsIn(before))
    // Of these two it is known that they word everything else alike.
    const isAlike = from === 15 && to === 18
    expect(isAlike ? wordsOf(dumps) : []).toEqual(isAlike ? wordsOf(before) : [])
    expect(await rowOf(session, odd, factsSql)).toEqual({
      work_mem: '7MB',
      search_path: 'shop, "$user"',
      maintenance: '11MB',
      checksums: 'off',
      readonly: 'on',
      encoding: 'LATIN1',
      public: from < 15,
      spaces: 'fast',
    })
    expect(await rowOf(session, 'app', 'SHOW server_encoding')).toEqual({ server_encoding: 'UTF8' })
    const { host, port } = session.address
    const config = { host, port, user: 'writer', password: 'secret', database: odd }
    const writer = new Client(config)
    await writer.connect()
    expect((await writer.query(countSql)).rows).toEqual([{ n: 5000 }])
    await writer.end()
  }, 240_000)
})

const odd = 'Odd "Name"; --'

const countSql = 'SELECT count(*)::int AS n FROM public.kept'

const factsSql = `
  SELECT current_setting('work_mem') AS work_mem, current_setting('search_path') AS search_path,
         current_setting('data_checksums') AS checksums, current_setting('default_transaction_read_only') AS readonly,
         current_setting('server_encoding') AS encoding,
         (SELECT split_part(setconfig[1], '=', 2) FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = 'writer'::regrole) AS maintenance,
         has_schema_privilege('reader', 'public', 'CREATE') AS public,
         (SELECT spcname FROM pg_class JOIN pg_tablespace AS t ON t.oid = reltablespace WHERE relname = 'kept') AS spaces`

async function rowOf(session: Session, database: string, sql: string): Promise<unknown> {
  const client = await session.connect(database)
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows[0]
  } finally {
    await client.end()
  }
}

/** A directory for tablespaces, of the user who runs the server. */
function makeSpace(path: string, dataDir: string): void {
  mkdirSync(path, { mode: 0o700 })
  const { uid, gid } = statSync(dataDir)
  if (process.geteuid?.() === 0) chownSync(path, uid, gid)
}

async function fill(session: Session, file: string, major: number, space: string): Promise<void> {
  const run = async (database: string, sql: string) => {
    writeFileSync(file, sql)
    await load(session, { from: file, database })
  }
  const name = escapeIdentifier(odd)
  await run('postgres', roles)
  await run(
    'postgres',
    `CREATE ROLE writer LOGIN PASSWORD 'secret' CONNECTION LIMIT 7 VALID UNTIL '2100-01-01 00:00:00+00';
     CREATE ROLE boss NOLOGIN CREATEROLE; COMMENT ON ROLE boss IS 'it''s the boss';
     GRANT boss TO writer WITH ADMIN OPTION; GRANT reader TO boss;
     ALTER ROLE writer SET maintenance_work_mem = '11MB';
     CREATE TABLESPACE fast OWNER boss LOCATION '${space}' WITH (random_page_cost = 1.5);
     GRANT CREATE ON TABLESPACE fast TO writer;
     ALTER SYSTEM SET work_mem = '7MB';
     CREATE DATABASE app;
     CREATE DATABASE ${name} OWNER boss CONNECTION LIMIT 3 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
     ALTER DATABASE ${name} SET search_path = shop, "$user"; COMMENT ON DATABASE ${name} IS 'odd; ''text''';
     ALTER DATABASE ${name} SET default_transaction_read_only = on;
     REVOKE CONNECT ON DATABASE app FROM PUBLIC; GRANT CONNECT ON DATABASE app TO writer;`,
  )
  await run('app', everything(major))
  await run(
    odd,
    `SET default_transaction_read_only = off; CREATE EXTENSION hstore SCHEMA public; CREATE EXTENSION citext SCHEMA public;
     CREATE TABLE public.kept (n int, f float8, r real, t timestamptz, h public.hstore, c public.citext) TABLESPACE fast;
     INSERT INTO public.kept SELECT n, n / 3.0, n / 7.0, '2020-01-01'::timestamptz + n * interval '1 hour', public.hstore('a', n::text), n::text
       FROM generate_series(1, 5000) AS n;
     ALTER TABLE public.kept OWNER TO writer; ANALYZE public.kept;
     CREATE TABLE public.umlauts AS SELECT 'gr\u00fcn'::text AS t`,
  )
}

/** What pg_dump says of each database. */
async function dumpsOf(session: Session, to: string): Promise<Map<string, string>> {
  const dumps = new Map<string, string>()
  for (const database of await session.databases()) {
    if (database === 'template0') continue
    const args = ['--create', '--restrict-key=thesame']
    await dump(session, { to, database, args, program: 'built-in' })
    dumps.set(database, readFileSync(to, 'utf8'))
  }
  return dumps
}

/** The objects in a dump, with their kinds, schemas and owners. Servers word some of their definitions in another way. */
function objectsIn(dumps: Map<string, string>): string[] {
  return [...dumps].flatMap(([database, text]) =>
    [...text.matchAll(/^-- (?:Data for )?Name: .*$/gm)].map(([line]) => `${database}: ${line}`),
  )
}

/** All of the dumps, as servers from 16 on word it: without the name of the only table before a column of a view. */
function wordsOf(dumps: Map<string, string>): string[] {
  return [...dumps.values()].map((text) =>
    text.replace(/^-- Dumped from .*$/m, '').replaceAll(/(?<!shop\.)\bitem\.(?=\w)/g, ''),
  )
}
