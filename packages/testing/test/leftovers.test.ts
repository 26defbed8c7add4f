import { until } from '@howdah/fixtures'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

ownPlace()

let server: Awaited<ReturnType<typeof givenServer>>
beforeAll(async () => {
  server = await givenServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const leavings = {
  'a transaction': 'BEGIN; CREATE TABLE left_open ()',
  'a prepared statement': 'PREPARE left_prepared AS SELECT 1',
  LISTEN: 'LISTEN left_channel',
  'an advisory lock': 'SELECT pg_advisory_lock(1)',
  'a temporary table': 'CREATE TEMPORARY TABLE left_temporary ()',
  'another search path': 'SET search_path TO nowhere',
}

it.each(Object.entries(leavings))(
  'drops a database that a test has left %s in',
  async (_what, statement) => {
    using project = new Project()
    await using databases = testDatabases(project.options({ server: server.url }))
    const db = await databases.create()
    const client = await db.pool().connect()
    await client.query(statement)
    const other = await db.connect()
    await other.query('BEGIN')
    // Neither is given back.
    await db.release()
    await until('it is dropped', async () => !(await server.databases()).includes(db.name))
    await using next = await databases.create()
    expect((await next.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  },
)

const blocking = {
  'a prepared transaction': "BEGIN; CREATE TABLE left_prepared (); PREPARE TRANSACTION 'left''s'",
  'a replication slot': "SELECT pg_create_logical_replication_slot('left_slot', 'test_decoding')",
}

it.each(Object.entries(blocking))(
  'drops a database in which %s is left, by its own process and by the next one',
  async (_what, statement) => {
    using project = new Project()
    const settings = { max_prepared_transactions: '2', wal_level: 'logical' }
    const shared = { root: project.root, settings }
    await using observer = testDatabases(project.options({ ...shared, name: 'observer', ahead: 0 }))
    const db = await observer.create()
    const isGone = (name: unknown) => async () =>
      (await db.query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount === 0
    const leave = `(held.push(await databases.create()), await held.at(-1).query(${JSON.stringify(statement)}), held.at(-1).name)`
    await using worker = new Worker(shared)
    const released = await worker.ask(leave)
    await worker.ask('held.pop().release()')
    await until('it is dropped', isGone(released))
    const left = await worker.ask(leave)
    await worker.kill()
    expect(await isGone(left)()).toBe(false)
    await using next = testDatabases(project.options(shared))
    await next.create()
    await until('it is dropped by the next process', isGone(left))
  },
)

it('lets clients that are connected by the URL finish, names them, and then drops the database', async () => {
  using project = new Project()
  const notices: string[] = []
  await using databases = testDatabases(
    project.options({ server: server.url, onNotice: (notice) => notices.push(notice) }),
  )
  const db = await databases.create()
  const client = new Client({ connectionString: db.url, application_name: 'lingerer' })
  await client.connect()
  await db.release()
  await until('people are told', () => notices.length > 0)
  expect(notices).toEqual([
    expect.stringMatching(new RegExp(`^${db.name} was given back .*: lingerer \\(pid \\d+\\)`)),
  ])
  expect((await client.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  await client.end()
  await until('it is dropped', async () => !(await server.databases()).includes(db.name))
})

it('keeps a database on request, prints how to open it, and the next process keeps it, too', async () => {
  using project = new Project()
  const notices: string[] = []
  const options = project.options({
    server: server.url,
    onNotice: (notice) => notices.push(notice),
  })
  const databases = testDatabases(options)
  const db = await databases.create({ test: 'a test' })
  await db.query('CREATE TABLE evidence ()')
  await db.keep()
  await db.release()
  await databases.end()
  expect(notices).toEqual([expect.stringContaining(`howdah testdb shell ${db.name}`)])
  expect(notices.join('')).not.toContain('p%40ss')
  const next = testDatabases(options)
  await next.create()
  await next.end()
  const client = await server.connectTo(db.name)
  expect((await client.query('SELECT * FROM evidence')).rows).toEqual([])
  await client.end()
  await server.superuser.query(`DROP DATABASE ${db.name}`)
})
