import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, type TestDatabases, testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

ownPlace()

const schema = `
  CREATE TABLE parents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, "odd ""name" int DEFAULT 7, up text);
  CREATE TABLE children (id serial PRIMARY KEY, parent int NOT NULL REFERENCES parents, twin int REFERENCES children);
  CREATE TABLE loops (id int PRIMARY KEY, other int REFERENCES loops);
  CREATE TABLE notes (t text);
  CREATE TABLE gone (a int, b int);
  ALTER TABLE gone DROP COLUMN a;
  CREATE SEQUENCE counter START 5;
  CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.up := upper(NEW.name); INSERT INTO notes VALUES (NEW.name); RETURN NEW; END';
  INSERT INTO parents (name) VALUES ('Ada'), ('Grace, "the" \\ one');
  INSERT INTO children (parent, twin) VALUES (1, 1), (2, 1);
  INSERT INTO loops VALUES (1, 2), (2, 1);
  INSERT INTO gone VALUES (3);
  CREATE TRIGGER shouting BEFORE INSERT ON parents FOR EACH ROW EXECUTE PROCEDURE shout();
  CREATE MATERIALIZED VIEW names AS SELECT name FROM parents ORDER BY 1;
  SELECT nextval('counter');
`

describe.each(['a superuser', 'a role with CREATEDB alone'])('for %s', (who) => {
  let project: Project
  let server: Awaited<ReturnType<typeof givenServer>> | undefined
  let databases: TestDatabases
  beforeAll(async () => {
    project = new Project({ 'm/1.sql': schema })
    server = who === 'a superuser' ? undefined : await givenServer()
    databases = testDatabases(project.options({ migrate: 'm/*.sql', server: server?.url }))
  })
  afterAll(async () => {
    await databases.end()
    await server?.[Symbol.asyncDispose]()
    project[Symbol.dispose]()
  })

  const everything = async (db: TestDatabase) => {
    const found: unknown[] = []
    for (const table of ['parents', 'children', 'loops', 'notes', 'gone', 'names'])
      found.push((await db.query(`SELECT * FROM ${table} ORDER BY 1`)).rows)
    const { rows } = await db.query(`
      INSERT INTO parents (name) VALUES ('new') RETURNING id, (SELECT nextval('counter')) AS counter`)
    return [...found, rows]
  }

  it('restores rows and sequences to those of a new database', async () => {
    await using fresh = await databases.create()
    const expected = await everything(fresh)
    await using db = await databases.create()
    const bystander = await db.connect()
    const { rows: pids } = await bystander.query('SELECT pg_backend_pid() AS pid')
    await bystander.query('PREPARE kept AS SELECT 1 AS n')
    for (let round = 0; round < 2; round += 1) {
      await db.query(`UPDATE parents SET name = 'x'`)
      await db.query(`INSERT INTO parents (name) VALUES ('y')`)
      await db.query(`INSERT INTO children (parent) SELECT max(id) FROM parents`)
      await db.query('DELETE FROM gone')
      await db.query('REFRESH MATERIALIZED VIEW names')
      await db.query(`SELECT nextval('counter'), lo_create(0)`)
      await db.reset()
      expect(
        (await db.query('SELECT count(*)::int AS n FROM pg_largeobject_metadata')).rows,
      ).toEqual([{ n: 0 }])
      expect(await everything(db)).toEqual(expected)
    }
    expect((await bystander.query('EXECUTE kept')).rows).toEqual([{ n: 1 }])
    expect((await bystander.query('SELECT pg_backend_pid() AS pid')).rows).toEqual(pids)
  })

  const changes = {
    'a new table': 'CREATE TABLE extra ()',
    'a table less': 'DROP TABLE notes',
    'another column': 'ALTER TABLE notes ADD u int',
    'another type': 'ALTER TABLE notes ALTER t TYPE varchar(9)',
    'another default': `ALTER TABLE notes ALTER t SET DEFAULT 'x'`,
    'another constraint': "ALTER TABLE notes ADD CHECK (t <> '')",
    'another index': 'CREATE INDEX ON notes (t)',
    'a trigger that is off': 'ALTER TABLE parents DISABLE TRIGGER shouting',
    'another function': `CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    'a schema': 'CREATE SCHEMA other',
    'an enumeration': `CREATE TYPE mood AS ENUM ('good')`,
    'a grant': 'GRANT SELECT ON notes TO public',
    'another step of a sequence': 'ALTER SEQUENCE counter INCREMENT 3',
  }
  it.each(Object.entries(changes))('refuses to after %s, and names it', async (_what, change) => {
    await using db = await databases.create()
    await db.reset()
    await db.query(change)
    await expect(db.reset()).rejects.toMatchObject({
      code: 'ERR_TESTING_SCHEMA_CHANGED',
      message: expect.stringMatching(/extra|notes|parents|shout|other|mood|counter/),
    })
  })

  it('is not disturbed by temporary tables, truncating, vacuuming and analyzing', async () => {
    await using db = await databases.create()
    const client = await db.connect()
    await client.query('CREATE TEMPORARY TABLE mine (n int)')
    await client.query('TRUNCATE parents CASCADE')
    await client.query('VACUUM FULL notes')
    await client.query('ANALYZE')
    await db.reset()
    expect((await client.query('SELECT * FROM mine')).rows).toEqual([])
    expect((await client.query('SELECT count(*)::int AS n FROM parents')).rows).toEqual([{ n: 2 }])
  })
})

it('says which transaction holds the tables', async () => {
  using project = new Project({ 'm/1.sql': 'CREATE TABLE held (n int)' })
  await using databases = testDatabases(project.options({ migrate: 'm/*.sql' }))
  await using db = await databases.create()
  const client = await db.connect()
  await client.query('BEGIN; INSERT INTO held VALUES (1)')
  await expect(db.reset()).rejects.toMatchObject({
    code: 'ERR_TESTING_RESET_BLOCKED',
    message: expect.stringContaining('INSERT INTO held'),
  })
  await client.query('ROLLBACK')
  await db.reset()
})
