import { chmodSync } from 'node:fs'
import { until } from '@howdah/fixtures'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { type Migration, type TestDatabasesOptions, testDatabases } from '../src/index.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

ownPlace()

/** What a query gives in a new database. */
async function rowsOf(options: TestDatabasesOptions, query: string): Promise<unknown[]> {
  await using databases = testDatabases(options)
  await using db = await databases.create()
  return (await db.query(query)).rows
}

it('migrates again when the content or name of a file of the key changes, or a value', async () => {
  using project = new Project({ 'schema/a.txt': '1' })
  let migrations = 0
  const run = async (key: TestDatabasesOptions['key']) => {
    const migrate = async () => void (migrations += 1)
    await rowsOf(project.options({ migrate, key }), 'SELECT 1')
    return migrations
  }
  await using held = testDatabases(project.options())
  await held.create()
  expect(await run(['schema/*', { flavour: 'x' }])).toBe(1)
  expect(await run(['schema/*', { flavour: 'x' }])).toBe(1)
  expect(await run(['schema/*', { flavour: 'y' }])).toBe(2)
  project.write({ 'schema/a.txt': '2' })
  expect(await run(['schema/*', { flavour: 'y' }])).toBe(3)
  project.write({ 'schema/b.txt': '2' })
  expect(await run(['schema/*', { flavour: 'y' }])).toBe(4)
})

it('runs only the new files, on the template of the earlier ones', async () => {
  using project = new Project({ 'm/1.sql': 'CREATE TABLE one AS SELECT clock_timestamp() AS at' })
  const options = project.options({ migrate: 'm/*.sql' })
  await using held = testDatabases(options)
  await using before = await held.create()
  const [first] = (await before.query('SELECT at FROM one')).rows
  project.write({ 'm/2.sql': 'CREATE TABLE two ()' })
  expect(await rowsOf(options, 'SELECT at FROM one, (SELECT count(*) FROM two) x')).toEqual([first])
  // A file that has changed is run with all that follow it.
  project.write({ 'm/1.sql': 'CREATE TABLE one AS SELECT 1 AS at' })
  expect(await rowsOf(options, 'SELECT at FROM one')).toEqual([{ at: 1 }])
})

it('seeds after the migrations, and again if either changes', async () => {
  using project = new Project({
    'm/1.sql': 'CREATE TABLE t (n int, at timestamptz DEFAULT clock_timestamp())',
    'seed.sql': 'INSERT INTO t VALUES (1)',
  })
  const options = project.options({ migrate: 'm/*.sql', seed: 'seed.sql' })
  await using held = testDatabases(options)
  await held.create()
  expect(await rowsOf(options, 'SELECT n FROM t')).toEqual([{ n: 1 }])
  project.write({ 'm/2.sql': 'ALTER TABLE t ADD u int DEFAULT 5' })
  expect(await rowsOf(options, 'SELECT n, u FROM t')).toEqual([{ n: 1, u: 5 }])
  project.write({ 'seed.sql': 'INSERT INTO t VALUES (2)' })
  expect(await rowsOf(options, 'SELECT n FROM t')).toEqual([{ n: 2 }])
})

it('tells every waiting process what failed, with the file and the line, and tries it once', async () => {
  using project = new Project({
    'migrations/1.sql': 'SELECT pg_sleep(1)',
    'migrations/2-bad.sql': 'CREATE TABLE good ();\nCREATE TABLE bad (x nonsense);',
  })
  const options = { root: project.root, migrate: 'migrations/*.sql' }
  await using first = new Worker(options)
  await using second = new Worker(options)
  await using third = new Worker(options)
  const workers = [first, second, third]
  const fail = `databases.create().then(() => 'created', (error) => error.code + ' ' + error.message)`
  const answers = await Promise.all(workers.map((one) => one.ask(fail)))
  for (const answer of answers) {
    expect(answer).toMatch(
      /^ERR_TESTING_MIGRATE .*migrations\/2-bad\.sql:2: type "nonsense" does not exist/,
    )
  }
  await Promise.all(workers.map((one) => one.end()))
})

it('does not run a migration again in the process in which it failed', async () => {
  using project = new Project()
  let runs = 0
  await using databases = testDatabases(
    project.options({
      migrate: async ({ client }) => {
        runs += 1
        await client.query('SELECT * FROM nowhere')
      },
    }),
  )
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(databases.create()).rejects.toMatchObject({
      code: 'ERR_TESTING_MIGRATE',
      message: expect.stringContaining('relation "nowhere" does not exist'),
    })
  }
  expect(runs).toBe(1)
})

it('makes a template again that a killed process has left unfinished, and tells waiting processes the reason', async () => {
  using project = new Project()
  await using killed = new Worker({ root: project.root }, { slow: 60 })
  killed.tell('databases.create()')
  await until('it migrates', () => project.lines('migrated').length === 1)
  await using next = new Worker({ root: project.root })
  next.tell('databases.create().then((db) => db.query("SELECT 1 AS n")).then(({ rows }) => rows)')
  expect(await next.notice()).toMatch(
    new RegExp(
      `waiting for the template of app in .*, which howdah-testing ${killed.pid}@\\S+ makes`,
    ),
  )
  await killed.kill()
  expect(await next.answer()).toEqual([{ n: 1 }])
  expect(project.lines('migrated')).toEqual([String(killed.pid), String(next.pid)])
  await next.end()
})

it('runs a command with the environment of the database, and shows its output if it fails', async () => {
  using project = new Project({
    'node_modules/.bin/migrate-it': '#!/bin/sh\necho "to $PGDATABASE at $PGHOST: $1"\nexit 3\n',
  })
  chmodSync(`${project.root}/node_modules/.bin/migrate-it`, 0o755)
  await using databases = testDatabases(
    project.options({ migrate: { exec: ['migrate-it', 'up'] } }),
  )
  await expect(databases.create()).rejects.toThrow(
    /migrate-it up ended with status 3:\nto howdah_template_\w+ at .+: up/,
  )
})

it('refuses a migration that leaves connections open, and names them', async () => {
  using project = new Project()
  let left: Client | undefined
  await using databases = testDatabases(
    project.options({
      migrate: async ({ url }) => {
        left = new Client({ connectionString: url, application_name: 'forgetful' })
        left.on('error', () => undefined)
        await left.connect()
      },
    }),
  )
  await expect(databases.create()).rejects.toThrow(/left connections open: forgetful \(pid \d+\)/)
  await left?.end()
})

it('separates the templates of two projects with the same key', async () => {
  const migrate = async ({ client, exec }: Migration) => {
    await exec('true')
    await client.query(`CREATE TABLE t AS SELECT 1 AS n`)
  }
  using one = new Project()
  using other = new Project()
  await using first = testDatabases(one.options({ migrate }))
  await using second = testDatabases(other.options({ migrate }))
  await using db = await first.create()
  await using elsewhere = await second.create()
  const template = (name: string) => name.split('_')[2]
  expect(template(db.name)).not.toBe(template(elsewhere.name))
})

it('refuses a path in the key that is not a file, and says how to write a value', async () => {
  using project = new Project()
  await using databases = testDatabases(project.options({ key: ['migrations'] }))
  await expect(databases.create()).rejects.toMatchObject({
    code: 'ERR_TESTING_KEY',
    message: expect.stringContaining(`{ value: 'migrations' }`),
  })
})

it('creates extensions first, and names those that are not available', async () => {
  using project = new Project()
  expect(
    await rowsOf(
      project.options({ extensions: ['plpgsql'] }),
      `SELECT count(*)::int AS n FROM pg_extension WHERE extname = 'plpgsql'`,
    ),
  ).toEqual([{ n: 1 }])
  await expect(rowsOf(project.options({ extensions: ['nowhere'] }), 'SELECT 1')).rejects.toThrow(
    /the extension nowhere cannot be created/,
  )
})
