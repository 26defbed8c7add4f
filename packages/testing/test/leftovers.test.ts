import { until } from '@howdah/fixtures'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

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
