import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { Client, Pool } from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { clientsOf } from '../../src/connecting/left-open.ts'
import { Cluster, type Session } from '../../src/index.ts'
import { rowsFrom } from '../../src/without-driver/rows-from.ts'

const { strategy } = newest

let home: TemporaryDirectory
let cluster: Cluster
let notices: string[]

beforeEach(() => {
  home = temporaryDirectory()
  notices = []
  const onNotice = (notice: string) => notices.push(notice)
  cluster = new Cluster(home.file('data'), { strategy, onNotice })
})

afterEach(async () => {
  await cluster.stop({ force: true })
  home[Symbol.dispose]()
})

const state = async () => (await cluster.status()).state

/** A client that its owner forgets, without a listener for errors. */
async function forgotten(session: Session): Promise<Client> {
  const client = new Client({ connectionString: session.url(), application_name: 'my app' })
  await client.connect()
  await client.query('SELECT 42')
  return client
}

it('a client of the program that is left open is named, and outlives leave()', async () => {
  const session = await cluster.run({ database: 'app' })
  const client = await forgotten(session)
  expect(await session.leave()).toBe('in-use')
  expect(notices).toEqual([
    expect.stringMatching(
      /^still connected at the end: "my app" as ".*" on database "app" \(idle, .*last query: SELECT 42\); the server on .* is stopped when they have gone/,
    ),
  ])
  expect((await client.query('SELECT 1')).rowCount).toBe(1)
  await client.end()
  await until('the server has stopped', async () => (await state()) === 'stopped')
})

it('a pool that is left open is no end of the process', async () => {
  const session = await cluster.run()
  const pool = new Pool({ connectionString: session.url(), max: 3 })
  await Promise.all([1, 2, 3].map(async () => await pool.query('SELECT pg_sleep(0.05)')))
  expect(await session.leave()).toBe('in-use')
  expect(notices[0]).toMatch(/^still connected .*; .*; /)
  await pool.end()
  await until('the server has stopped', async () => (await state()) === 'stopped')
})

it("a question of howdah's own is no client, however long its backend takes to end", async () => {
  const session = await cluster.run()
  // It is given up after half a second, and its backend goes on.
  expect(await rowsFrom(session.address, 'postgres', 'SELECT pg_sleep(60)')).toBeNull()
  const client = await session.connect()
  const text = "SELECT state FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
  expect((await client.query(text)).rows).toEqual([{ state: 'active' }])
  await client.end()
  await until('the client has gone', async () => (await clientsOf(session.dataDir)).length === 0)
})

it('by force the server is stopped under a client, and nobody is named', async () => {
  const session = await cluster.run()
  const client = await forgotten(session)
  const lost = new Promise((resolve) => client.on('error', resolve))
  expect(await session.leave({ force: true })).toBe('stopped')
  expect(await lost).toMatchObject({ code: '57P01' })
  expect(notices).toEqual([])
})

it('nobody is named if all have ended, however late', async () => {
  const session = await cluster.run()
  const client = await forgotten(session)
  const leaving = session.leave()
  await client.end()
  expect(await leaving).toBe('stopped')
  expect(notices).toEqual([])
})

it("the session's own are ended, and one that was never given back is named", async () => {
  const session = await cluster.run()
  await session.connect()
  const pool = await session.pool({ max: 1 })
  const client = await pool.connect()
  await client.query('SELECT 43')
  expect(await session.leave()).toBe('stopped')
  expect(notices).toEqual([expect.stringMatching(/^still connected at the end: .*SELECT 43/)])
})

it('nobody is named while others go on', async () => {
  await using other = await cluster.run()
  const session = await cluster.run()
  const client = await forgotten(other)
  expect(await session.leave()).toBe('in-use')
  expect(notices).toEqual([])
  await client.end()
})

it('without anybody to be told, Node warns', async () => {
  const session = await new Cluster(home.file('data'), { strategy }).run()
  const client = await forgotten(session)
  const warned = once(process, 'warning') as Promise<[Error]>
  expect(await session.leave()).toBe('in-use')
  const [warning] = await warned
  expect(warning).toMatchObject({
    name: 'HowdahWarning',
    message: expect.stringContaining('my app'),
  })
  await client.end()
  await until('the server has stopped', async () => (await state()) === 'stopped')
})

it('the client of a process that was killed holds up nobody', async () => {
  const session = await cluster.run()
  const script = `import pg from 'pg'; const c = new pg.Client(process.argv[1]); await c.connect(); console.log(1)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, session.url()], {
    cwd: import.meta.dirname,
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await session.leave()).toBe('stopped')
  expect(notices).toEqual([])
})
