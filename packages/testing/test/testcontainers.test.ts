import { newest, somePostgres } from '@howdah/postgres-fixtures'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '../src/testcontainers.ts'
import { versionOfImage } from '../src/testcontainers/image.ts'
import { ownPlace } from './support/place.ts'

ownPlace()

const container = (image = 'postgres:latest') =>
  new PostgreSqlContainer(image).withStrategy(newest.strategy)

async function query(started: StartedPostgreSqlContainer, sql: string) {
  const client = new Client({ connectionString: started.getConnectionUri() })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

it('has the user, password and database "test" by default, and a URI for them', async () => {
  await using started = await container().start()
  expect([started.getUsername(), started.getPassword(), started.getDatabase()]).toEqual([
    'test',
    'test',
    'test',
  ])
  expect(typeof started.getPort()).toBe('number')
  const uri = `postgres://test:test@${started.getHost()}:${started.getPort()}/test`
  expect(started.getConnectionUri()).toBe(uri)
  expect(await query(started, 'SELECT current_user AS who, current_database() AS db')).toEqual([
    { who: 'test', db: 'test' },
  ])
})

it('gives the bootstrap superuser any requested name and password', async () => {
  await using started = await container()
    .withUsername('Some "one"')
    .withPassword(`it's:/@?`)
    .withDatabase('a "database"')
    .start()
  expect(
    await query(started, 'SELECT oid::int, rolsuper FROM pg_roles WHERE rolname = current_user'),
  ).toEqual([{ oid: 10, rolsuper: true }])
  const client = new Client({
    host: started.getHost(),
    port: started.getPort(),
    user: 'Some "one"',
    database: 'a "database"',
    password: 'wrong',
  })
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' })
})

it('restores snapshots repeatedly, even while clients are connected', async () => {
  await using started = await container().start()
  await query(started, `CREATE TABLE t AS SELECT 1 AS n`)
  await started.snapshot()
  for (let round = 0; round < 2; round += 1) {
    await query(started, 'INSERT INTO t VALUES (2)')
    const connected = new Client({ connectionString: started.getConnectionUri() })
    connected.on('error', () => undefined)
    await connected.connect()
    await started.restoreSnapshot()
    expect(await query(started, 'SELECT n FROM t')).toEqual([{ n: 1 }])
    await connected.end().catch(() => undefined)
  }
  await started.snapshot('other')
  await query(started, 'DROP TABLE t')
  await started.restoreSnapshot('other')
  expect(await query(started, 'SELECT n FROM t')).toEqual([{ n: 1 }])
})

it('refuses snapshots that cannot be restored', async () => {
  await using started = await container().start()
  await expect(started.snapshot('test')).rejects.toMatchObject({ code: 'ERR_TESTING_OPTION' })
  await using system = await container().withDatabase('postgres').start()
  await expect(system.snapshot()).rejects.toMatchObject({ code: 'ERR_TESTING_OPTION' })
})

it('runs init scripts in the order of their names, with settings of the command', async () => {
  const target = (name: string) => `/docker-entrypoint-initdb.d/${name}`
  await using started = await container()
    .withCommand(['postgres', '-c', 'work_mem=7MB', '--max-connections=33'])
    .withCopyContentToContainer([
      { content: 'INSERT INTO t VALUES (current_user)', target: target('2.sql') },
      { content: 'CREATE TABLE t (who text)', target: target('1.sql') },
    ])
    .start()
  expect(
    await query(
      started,
      `SELECT who, current_setting('work_mem') AS mem, current_setting('max_connections') AS max FROM t`,
    ),
  ).toEqual([{ who: 'test', mem: '7MB', max: '33' }])
  const failing = container().withCopyContentToContainer([
    { content: 'nonsense', target: target('x.sql') },
  ])
  await expect(failing.start()).rejects.toThrow(/the init script x\.sql failed.*syntax error/s)
})

it('finds a reusable server, and starts it once', async () => {
  const reused = () => container().withReuse().withDatabase('again')
  const first = await reused().start()
  await query(first, 'CREATE TABLE t ()')
  await using second = await reused().start()
  expect(second.getPort()).toBe(first.getPort())
  expect(await query(second, 'SELECT * FROM t')).toEqual([])
  await first.stop()
  // It would stay for the next to come.
  const [row] = await query(
    second,
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
  )
  process.kill((row as { pid: number }).pid, 'SIGINT')
})

it('installs the version of an image from npm, if this machine does not have it', async () => {
  const { npm_config_registry: registry } = process.env
  // Nobody answers there.
  process.env['npm_config_registry'] = 'http://127.0.0.1:1'
  try {
    const missing = 'postgres:11.999'
    await expect(new PostgreSqlContainer(missing).start()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_OFFLINE',
    })
    await expect(container(missing).start()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_NOT_FOUND',
    })
  } finally {
    process.env['npm_config_registry'] = registry
    if (registry === undefined) delete process.env['npm_config_registry']
  }
})

it('reads the version from the tag of an image', () => {
  const images = {
    'postgres:16': '16',
    'postgres:16-alpine': '16',
    'postgres:16.3-bookworm': '16.3',
    'pgvector/pgvector:pg17': '17',
    'registry.example:5000/postgis/postgis:15-3.4': '15',
    'postgres:latest': undefined,
    postgres: undefined,
    'registry.example:5000/postgres': undefined,
    'postgres:14@sha256:0123': '14',
  }
  for (const [image, expected] of Object.entries(images))
    expect(versionOfImage(image)).toBe(expected)
})

it.each(somePostgres)('starts $name if the image names it', async ({ major, strategy }) => {
  await using started = await new PostgreSqlContainer(`postgres:${major}-alpine`)
    .withStrategy(strategy)
    .start()
  expect(await query(started, 'SHOW server_version_num')).toEqual([
    { server_version_num: expect.stringMatching(new RegExp(`^${major}`)) },
  ])
})
