import { once } from 'node:events'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { newest, somePostgres, type Subject } from '@howdah/postgres-fixtures'
import { bringBackDatabase, savedDatabases } from '@howdah/snapshot'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

const home = temporaryDirectory()
const cluster = new Cluster(home.file('data'), newest)
let session: Session

beforeAll(async () => {
  const settings = { wal_level: 'logical', max_prepared_transactions: '5' }
  session = await cluster.run({ settings, mode: 'fast' })
})
afterAll(async () => {
  await session.leave()
  await cluster.destroy({ force: true })
  home[Symbol.dispose]()
})

/** Runs SQL in a database, on a connection of its own. */
async function sql(database: string, text: string, on = session): Promise<unknown[]> {
  const client = await on.connect(database)
  try {
    const result = (await client.query({ text, rowMode: 'array' })) as pg.QueryArrayResult
    return (Array.isArray(result) ? result : [result]).flatMap(({ rows }: pg.QueryArrayResult) =>
      rows.flat(),
    )
  } finally {
    await client.end()
  }
}

/** Everything that PostgreSQL knows of a database, without what is in it, and without its OID. */
async function propertiesOf(database: string, on = session): Promise<unknown> {
  const [found] = await sql(
    'postgres',
    `SELECT row_to_json(it) FROM (
       SELECT pg_get_userbyid(datdba) AS owner, datconnlimit, datistemplate, datallowconn, pg_encoding_to_char(encoding) AS encoding,
              datcollate, datctype, shobj_description(oid, 'pg_database') AS comment,
              (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(datacl) AS acl) AS rights,
              (SELECT array_agg((setrole::regrole, setconfig)::text ORDER BY setrole) FROM pg_db_role_setting
                WHERE setdatabase = d.oid) AS settings
         FROM pg_database d WHERE datname = '${database.replaceAll("'", "''")}') AS it`,
    on,
  )
  return found
}

async function namesOf(pattern: string): Promise<string[]> {
  const rows = await sql(
    'postgres',
    `SELECT datname FROM pg_database WHERE datname LIKE '${pattern}%'`,
  )
  return rows.map(String)
}

const unfinished = 'howdah-unfinished-'

describe.each(somePostgres)('on $name', (subject: Subject) => {
  it('a database gets its content back and keeps everything else that it has', async () => {
    using place = temporaryDirectory()
    const other = new Cluster(place.file('data'), subject)
    await using db = await other.run({ mode: 'fast', atEnd: 'destroy' })
    await db.createDatabase('app')
    await sql(
      'app',
      `CREATE ROLE "the owner"; CREATE ROLE "it's"; CREATE ROLE giver; CREATE ROLE taker;
       CREATE TABLE kept AS SELECT 1 AS n`,
      db,
    )
    await db.snapshots.save('clean', { database: 'app' })
    await sql(
      'app',
      `UPDATE kept SET n = 2; CREATE TABLE new ();
       ALTER DATABASE app OWNER TO "the owner";
       ALTER DATABASE app CONNECTION LIMIT 7;
       ALTER DATABASE app IS_TEMPLATE true;
       ALTER DATABASE app SET search_path = "$user", "a ""b, c", public;
       ALTER DATABASE app SET my.thing = 'it''s \\ "x", y';
       ALTER DATABASE app SET datestyle = 'German, DMY';
       ALTER ROLE "it's" IN DATABASE app SET search_path = '';
       ALTER ROLE "it's" IN DATABASE app SET work_mem = '5MB';
       REVOKE ALL ON DATABASE app FROM PUBLIC;
       REVOKE TEMPORARY ON DATABASE app FROM "the owner";
       GRANT CONNECT ON DATABASE app TO "it's";
       GRANT TEMPORARY ON DATABASE app TO giver WITH GRANT OPTION;
       SET ROLE giver; GRANT TEMPORARY ON DATABASE app TO taker; RESET ROLE;
       COMMENT ON DATABASE app IS 'the äpp, it''s "mine"'`,
      db,
    )
    const before = await propertiesOf('app', db)
    expect(before).toMatchObject({ owner: 'the owner', rights: expect.arrayContaining([]) })
    const restored = await db.snapshots.restore('clean', { database: 'app' })
    expect(restored).toMatchObject({ name: 'clean', database: 'app', to: 'app', saved: true })
    expect(await propertiesOf('app', db)).toEqual(before)
    expect(await sql('app', `SELECT n, to_regclass('new') FROM kept`, db)).toEqual([1, null])
    // What was there is brought back with everything, too.
    const [saved] = await savedDatabases(db)
    if (saved === undefined) throw new Error('nothing was saved')
    expect(saved).toMatchObject({ name: 'app', by: 'snapshot restore' })
    await bringBackDatabase(db, saved)
    expect(await propertiesOf('app', db)).toEqual(before)
    expect(await sql('app', 'SELECT n FROM kept', db)).toEqual([2])
    // A missing database gets what the snapshot has saved.
    await db.snapshots.save('second', { database: 'app' })
    await db.snapshots.restore('second', { database: 'app', to: 'copy' })
    expect(await propertiesOf('copy', db)).toEqual(before)
  })
})

describe('a snapshot', () => {
  const longest = 'ä'.repeat(31) + 'x'

  it.each([
    ['with spaces', 'My "App"'],
    [`it's; "quoted" \\ %`, 'UPPER lower'],
    [longest, longest],
    ['-- list', '-'],
    ['日本語 🐘', '日本語'],
    ['list', 'howdah'],
  ])('can be called %s, and its database %s', async (name, database) => {
    await session.createDatabase(database)
    await sql(database, 'CREATE TABLE kept ()')
    const saved = await session.snapshots.save(name, { database })
    expect(await session.snapshots.list({ database })).toEqual([saved])
    expect(saved).toMatchObject({ name, database })
    await sql(database, 'DROP TABLE kept')
    await session.snapshots.restore(name, { database, save: false })
    expect(await sql(database, `SELECT to_regclass('kept')::text`)).toEqual(['kept'])
    expect(await session.snapshots.drop(name, { database })).toBe('modified')
    expect(await session.snapshots.drop(name, { database })).toBe('unmodified')
    expect(await session.snapshots.list({ database })).toEqual([])
    await session.dropDatabase(database)
  })

  it('cannot be connected to, and is dropped only by its name', async () => {
    await session.createDatabase('closed')
    await session.snapshots.save('it', { database: 'closed' })
    const [name = ''] = await namesOf('howdah-snapshot-')
    await expect(session.connect(name)).rejects.toMatchObject({ code: '55000' })
    await session.dropDatabase('closed')
    expect(await session.snapshots.list()).toMatchObject([{ name: 'it', database: 'closed' }])
    await session.snapshots.drop('it', { database: 'closed' })
    expect(await namesOf('howdah-')).toEqual(await namesOf('howdah-saved-'))
  })

  it('is not among the databases, nor is what a restored one had before', async () => {
    const before = await session.databases()
    await session.createDatabase('listed')
    await session.snapshots.save('it', { database: 'listed' })
    await session.snapshots.restore('it', { database: 'listed' })
    expect(await namesOf('howdah-snapshot-')).not.toEqual([])
    expect(await namesOf('howdah-saved-')).not.toEqual([])
    expect(await session.databases()).toEqual([...before, 'listed'].toSorted())
    await session.snapshots.drop('it', { database: 'listed' })
    await session.dropDatabase('listed')
  })

  it('of the database "postgres" or "template1" is saved and restored as any other', async () => {
    for (const database of ['postgres', 'template1']) {
      await sql(database, 'CREATE TABLE kept ()')
      await session.snapshots.save('it', { database })
      await sql(database, 'DROP TABLE kept')
      const before = await propertiesOf(database)
      await session.snapshots.restore('it', { database })
      expect(await sql(database, `SELECT to_regclass('kept')::text`)).toEqual(['kept'])
      expect(await propertiesOf(database)).toEqual(before)
      const [saved] = await savedDatabases(session)
      if (saved === undefined) throw new Error('nothing was saved')
      await bringBackDatabase(session, saved)
      expect(await sql(database, `SELECT to_regclass('kept')::text`)).toEqual([null])
      await session.snapshots.drop('it', { database })
    }
  })

  it('says what is missing or there already', async () => {
    const code = (what: string) => expect.objectContaining({ code: `ERR_CLUSTER_${what}` })
    await session.createDatabase('said')
    await session.snapshots.save('it', { database: 'said' })
    const save = async (name: string, database: string) =>
      await session.snapshots.save(name, { database })
    const restore = async (name: string, database: string) =>
      await session.snapshots.restore(name, { database })
    const refused = [
      [save, 'it', 'said', 'SNAPSHOT_EXISTS', /drop that, replace/],
      [save, 'it', 'no', 'DATABASE_MISSING', /no database "no"/],
      [restore, 'x', 'said', 'SNAPSHOT_MISSING', /it has "it"/],
      [restore, 'it', 'postgres', 'SNAPSHOT_MISSING', /there is one of "said"/],
      [save, '', 'said', 'INVALID_SNAPSHOT', /""/],
      [save, 'it', 'template0', 'INVALID_SNAPSHOT', /template0/],
    ] as const
    for (const [action, name, database, what, words] of refused) {
      const error: unknown = await action(name, database).catch((reason: unknown) => reason)
      expect(error).toEqual(code(what))
      expect((error as Error).message).toMatch(words)
    }
    expect(await namesOf(unfinished)).toEqual([])
    await session.snapshots.drop('it', { database: 'said' })
    await session.dropDatabase('said')
  })

  it('is made by one of several that save it at the same moment, and replaced if asked for', async () => {
    await session.createDatabase('once')
    const saving = async (replace: boolean) =>
      await session.snapshots.save('it', { database: 'once', replace })
    const results = await Promise.allSettled([1, 2, 3].map(async () => await saving(false)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const [first] = await session.snapshots.list({ database: 'once' })
    await sql('once', 'CREATE TABLE later ()')
    const second = await saving(true)
    expect(second.at.getTime()).toBeGreaterThan(first?.at.getTime() ?? Infinity)
    expect(await session.snapshots.list({ database: 'once' })).toEqual([second])
    expect(await namesOf(unfinished)).toEqual([])
    await session.snapshots.restore('it', { database: 'once', to: 'twice' })
    expect(await sql('twice', `SELECT to_regclass('later')::text`)).toEqual(['later'])
    for (const name of ['once', 'twice']) await session.dropDatabase(name)
    await session.snapshots.drop('it', { database: 'once' })
  })
})

describe('a database that others use', () => {
  beforeAll(async () => {
    await session.createDatabase('used')
    await session.snapshots.save('it', { database: 'used' })
  })
  afterAll(async () => {
    await session.snapshots.drop('it', { database: 'used' })
    await session.dropDatabase('used')
  })

  it('is left alone, and the error says who, by pid and application', async () => {
    const client = await session.connect({ database: 'used', application_name: 'my "app"' })
    const pid = (client as { processID?: number }).processID ?? 0
    const said = {
      message: expect.stringContaining(`my "app" as "`),
      clients: [{ pid, application: 'my "app"', state: 'idle' }],
    }
    const [database, template] = ['used', 'used']
    for (const [action, code] of [
      [() => session.snapshots.save('other', { database }), 'ERR_CLUSTER_TEMPLATE_IN_USE'],
      [() => session.snapshots.restore('it', { database }), 'ERR_CLUSTER_DATABASE_IN_USE'],
      [() => session.createDatabase('copy', { template }), 'ERR_CLUSTER_TEMPLATE_IN_USE'],
    ] as const)
      await expect(action()).rejects.toMatchObject({ code, ...said })
    await client.query('SELECT 1')
    await client.end()
    expect(await namesOf(unfinished)).toEqual([])
  })

  it('is copied and replaced with force, even if its clients connect again at once', async () => {
    let connections = 0
    const over = new AbortController()
    const stubborn = async () => {
      while (!over.signal.aborted) {
        try {
          const client = await session.connect('used')
          connections += 1
          const end = once(client, 'end')
          if (over.signal.aborted) await client.end()
          await end
        } catch {
          // It is being replaced.
        }
      }
    }
    const all = [stubborn(), stubborn(), stubborn()]
    try {
      await until('somebody is connected', () => connections > 0, 10_000)
      await session.snapshots.save('it', { database: 'used', replace: true, force: true })
      await session.snapshots.restore('it', { database: 'used', force: true })
      await session.createDatabase('copy', { template: 'used', force: true })
    } finally {
      over.abort()
      await sql(
        'postgres',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'used'`,
      )
      await Promise.all(all)
    }
    expect(connections).toBeGreaterThan(3)
    await session.dropDatabase('copy')
  })

  it('keeps its prepared transactions, even with force', async () => {
    await sql('used', `BEGIN; CREATE TABLE promised (); PREPARE TRANSACTION 'a promise'`)
    const refused = session.snapshots.restore('it', { database: 'used', force: true })
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining('the prepared transaction "a promise"'),
      clients: [{ pid: null, application: 'a promise' }],
    })
    await sql('used', `COMMIT PREPARED 'a promise'`)
    await sql('used', 'DROP TABLE promised')
  })

  it('is not replaced under a subscription; its replication slots go, which would hold WAL for nobody', async () => {
    await sql('used', `SELECT pg_create_logical_replication_slot('mine', 'pgoutput')`)
    await sql(
      'used',
      `CREATE SUBSCRIPTION taken CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)`,
    )
    const refused = session.snapshots.restore('it', { database: 'used' })
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLUSTER_DATABASE_NEEDED',
      message: expect.stringContaining('"taken"'),
    })
    await sql('used', `ALTER SUBSCRIPTION taken SET (slot_name = NONE)`)
    await sql('used', `DROP SUBSCRIPTION taken`)
    const notices: string[] = []
    const onNotice = (notice: string) => void notices.push(notice)
    await session.snapshots.restore('it', { database: 'used', onNotice })
    expect(notices).toEqual(['dropped the replication slots of the database: mine'])
    expect(await sql('postgres', 'SELECT slot_name FROM pg_replication_slots')).toEqual([])
  })
})

it('a copy that is interrupted is not there', async () => {
  await session.createDatabase('held')
  const holder = await session.connect('postgres')
  // The copy waits for the end of this transaction.
  await holder.query(`BEGIN; COMMENT ON DATABASE held IS 'held'`)
  const stop = new AbortController()
  const saving = session.snapshots.save('it', { database: 'held', signal: stop.signal })
  const waiting = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE %' AND wait_event_type = 'Lock'`
  const isWaiting = async () => (await sql('postgres', waiting)).length === 1
  await until('the copy has begun', isWaiting, 20_000)
  stop.abort(new Error('enough'))
  await expect(saving).rejects.toThrow('enough')
  await holder.query('ROLLBACK')
  await holder.end()
  expect(await session.snapshots.list({ database: 'held' })).toEqual([])
  expect(await namesOf(unfinished)).toEqual([])
  await session.dropDatabase('held')
})
