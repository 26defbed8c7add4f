import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { newest } from '@howdah/postgres-fixtures'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

const place = ownPlace()

const files = {
  'migrations/1.sql': 'CREATE TABLE users (id serial PRIMARY KEY, name text)',
  'migrations/2.sql': `INSERT INTO users (name) VALUES ('Ada')`,
}

it('does nothing before the first database is requested', async () => {
  using project = new Project()
  const databases = testDatabases(project.options({ migrate: 'there is none' }))
  await databases.end()
  expect(existsSync(place) && readdirSync(place)).toEqual([])
})

it('gives each test a database that equals the template, whatever other tests do in theirs', async () => {
  using project = new Project(files)
  await using databases = testDatabases(project.options({ migrate: 'migrations/*.sql' }))
  await using one = await databases.create()
  await one.query(`INSERT INTO users (name) VALUES ('Grace')`)
  await one.query('DROP TABLE users CASCADE')
  for (let round = 0; round < 3; round += 1) {
    await using other = await databases.create()
    const { rows } = await other.query(`INSERT INTO users (name) VALUES ('Mary') RETURNING id`)
    expect(rows).toEqual([{ id: 2 }])
  }
})

it('connects every client to the database: by query, pool, connect, URL and environment', async () => {
  using project = new Project()
  await using databases = testDatabases(project.options())
  await using db = await databases.create()
  const ask = 'SELECT current_database() AS name'
  const expected = [{ name: db.name }]
  expect((await db.query(ask)).rows).toEqual(expected)
  expect((await db.pool().query(ask)).rows).toEqual(expected)
  expect((await db.pool({ max: 1 }).query(ask)).rows).toEqual(expected)
  expect((await (await db.connect()).query(ask)).rows).toEqual(expected)
  const { PGHOST, PGPORT, PGUSER, PGDATABASE, DATABASE_URL } = db.env
  expect(DATABASE_URL).toBe(db.url)
  for (const config of [
    { connectionString: db.url },
    { host: PGHOST, port: Number(PGPORT), user: PGUSER, database: PGDATABASE },
  ]) {
    const client = new Client(config)
    await client.connect()
    expect((await client.query(ask)).rows).toEqual(expected)
    await client.end()
  }
})

it('uses one connection for the first queries, and as many as the pool allows for more', async () => {
  using project = new Project()
  await using databases = testDatabases(project.options())
  await using db = await databases.create()
  const pid = async () => (await db.query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid']
  expect(await pid()).toBe(await pid())
  const sleepers = [1, 2, 3].map(() => db.query('SELECT pg_backend_pid() AS pid, pg_sleep(0.05)'))
  const pids = (await Promise.all(sleepers)).map(({ rows }) => rows[0]?.['pid'])
  expect(new Set(pids).size).toBe(3)
})

it('refuses a released database, and releases it only once', async () => {
  using project = new Project()
  await using databases = testDatabases(project.options())
  const db = await databases.create()
  await Promise.all([db.release(), db.release()])
  await expect(db.query('SELECT 1')).rejects.toMatchObject({ code: 'ERR_TESTING_ENDED' })
})

const crowd = process.env['HOWDAH_TEST_LONG'] === '1' ? 64 : 4

it(
  `migrates once for ${crowd} processes that come at the same time, and for those that come later`,
  { timeout: 300_000 },
  async () => {
    using project = new Project()
    const start = () => new Worker({ root: project.root })
    const create = 'held.push(await databases.create()), held.at(-1).name'
    const workers = Array.from({ length: crowd }, start)
    try {
      const names = await Promise.all(workers.map((one) => one.ask(create)))
      const later = start()
      workers.push(later)
      names.push(await later.ask(create))
      expect(new Set(names).size).toBe(crowd + 1)
      expect(project.lines('migrated')).toHaveLength(1)
      await Promise.all(workers.map((one) => one.end()))
    } finally {
      await Promise.all(workers.map((one) => one.kill()))
    }
  },
)

it('keeps the process alive until its work is done, if nothing else does', async () => {
  using project = new Project()
  const { place: postgres } = newest
  const script = `
    import { bundled, onPath } from '@howdah/runtime'
    import { testDatabases } from './dist/index.js'
    const postgres = ${JSON.stringify(postgres)}
    const strategy = postgres.package ? bundled({ packages: [postgres.package] }) : onPath([postgres.bindir])
    const databases = testDatabases({ root: ${JSON.stringify(project.root)}, strategy, linger: 0 })
    await (await databases.create()).release()
    const db = await databases.create()
    await db.query('SELECT 1')
    await db.reset()
    await db.release()
    await databases.end()`
  const cwd = new URL('..', import.meta.url)
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    stdio: 'inherit',
  })
  await once(child, 'exit')
  expect(child.exitCode).toBe(0)
})

it('lets the process end while databases are in use or made ahead', async () => {
  using project = new Project()
  await using worker = new Worker({ root: project.root })
  await worker.ask(
    'held.push(await databases.create()), (await held[0].query("SELECT 1")).rowCount',
  )
  // Its input ends, and it waits for nothing else.
  await worker.ask('databases.end = async () => undefined')
  await worker.end()
  expect(await worker.ended).toBe('status 0')
})
