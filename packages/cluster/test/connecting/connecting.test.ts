import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { Runtime, Version } from '@howdah/runtime'
import { describe, expect, it, vi } from 'vitest'
import { Client } from 'pg'
import { run, Server } from '../../src/index.ts'
import { newest } from '@howdah/postgres-fixtures'

const version = Version.parse('18.0')
const runtime = await Runtime.at('/', { version })
const socket = { host: '/some where/ümlaut', port: 1, user: 'Jo"e@x', password: null }
const tcp = { host: '127.0.0.1', port: 20_001, user: 'joe', password: 'p/w?' }
const server = (address: Server['address']) => new Server('/data', runtime, address, 'a b/c')

describe('the URL of a server', () => {
  it('names the directory of a socket, and a port at which nobody listens', () => {
    expect(server(socket).url()).toBe(
      'postgresql://Jo%22e%40x@localhost:1/a%20b/c?host=%2Fsome%20where%2F%C3%BCmlaut',
    )
  })

  it('carries the password over TCP', () => {
    expect(server(tcp).url('other')).toBe(
      'postgresql://joe:p%2Fw%3F@127.0.0.1:20001/other?sslmode=disable',
    )
    expect(server({ ...tcp, host: '::1' }).url('other')).toBe(
      'postgresql://joe:p%2Fw%3F@[::1]:20001/other?sslmode=disable',
    )
  })

  it('leaves it to the client whether to use SSL if the server has it', () => {
    const encrypted = server({ ...tcp, ssl: true })
    expect(encrypted.url('other')).toBe('postgresql://joe:p%2Fw%3F@127.0.0.1:20001/other')
    expect(encrypted.env()).not.toHaveProperty('PGSSLMODE')
  })

  it.each([
    ['feature/login', 'feature/login'],
    ["!$&'()*+,;=:@-._~/", "!$&'()*+,;=:@-._~/"],
    ['a b', 'a%20b'],
    ['100%', '100%25'],
    ['a%2Fb', 'a%252Fb'],
    ['what?', 'what%3F'],
    ['a#b', 'a%23b'],
    ['[x]^|\\{}<>"`', '%5Bx%5D%5E%7C%5C%7B%7D%3C%3E%22%60'],
    ['象', '%E8%B1%A1'],
    ['a\nb', 'a%0Ab'],
  ])('has the database %j as the path %s: encoded is what a path may not have', (name, path) => {
    expect(server(tcp).url(name)).toBe(
      `postgresql://joe:p%2Fw%3F@127.0.0.1:20001/${path}?sslmode=disable`,
    )
  })
})

describe('the environment of a command', () => {
  it('leads to the server, and has nothing that contradicts', () => {
    const env = server(tcp).commandEnv('app', {
      PATH: '/usr/bin',
      PGSERVICE: 'x',
      PGHOSTADDR: '10.0.0.1',
      PGSSLMODE: 'require',
      PGPASSFILE: '/secret',
      DATABASE_URL: 'postgres://elsewhere',
      PGTZ: 'UTC',
      PGBOSS_QUEUE: 'mine',
      HOME: '/home/joe',
    })
    expect(env).toEqual({
      PATH: '/:/usr/bin',
      PGTZ: 'UTC',
      PGBOSS_QUEUE: 'mine',
      HOME: '/home/joe',
      DATABASE_URL: 'postgresql://joe:p%2Fw%3F@127.0.0.1:20001/app?sslmode=disable',
      PGDATA: '/data',
      PGHOST: '127.0.0.1',
      PGPORT: '20001',
      PGUSER: 'joe',
      PGPASSWORD: 'p/w?',
      PGSSLMODE: 'disable',
      PGDATABASE: 'app',
    })
  })
})

// Go's lib/pq, for one, insists on SSL if it is told nothing: see "Connection String Parameters" in its documentation.
it('says over TCP that there is no SSL, unless the server has it on', async ({ skip }) => {
  using home = temporaryDirectory()
  const [key, certificate] = [home.file('key'), home.file('certificate')]
  try {
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost']
    execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  } catch {
    skip('there is no openssl to make a certificate with')
  }
  const { strategy } = newest
  const dataDir = home.file('data')
  {
    await using db = await run(dataDir, { strategy, tcp: true })
    expect(db.url()).toMatch(/\?sslmode=disable$/)
    expect(db.env()['PGSSLMODE']).toBe('disable')
  }
  chmodSync(key, 0o600)
  const { uid, gid } = statSync(dataDir)
  chownSync(key, uid, gid)
  const settings = { ssl: 'on', ssl_key_file: key, ssl_cert_file: certificate }
  await using db = await run(dataDir, { strategy, tcp: true, settings })
  expect(db.url()).not.toContain('sslmode')
  expect(db.env()).not.toHaveProperty('PGSSLMODE')
  const client = new Client({
    connectionString: db.url(),
    ssl: { ca: readFileSync(certificate), servername: 'localhost' },
  })
  await client.connect()
  const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
  await client.end()
  expect(rows).toEqual([{ ssl: true }])
})

it('connects whatever the environment says', async () => {
  using home = temporaryDirectory()
  await using session = await run(home.file('data'), { strategy: newest.strategy, throwAway: true })
  const contradicting = {
    PGHOST: '/nowhere',
    PGPORT: 'abc',
    PGUSER: 'nobody',
    PGDATABASE: 'none',
    PGPASSWORD: 'wrong',
    PGOPTIONS: '--bogus',
    PGSSLMODE: 'require',
    PGAPPNAME: 'other',
    PGCLIENTENCODING: 'LATIN1',
  }
  for (const [name, value] of Object.entries(contradicting)) vi.stubEnv(name, value)
  try {
    const client = await session.connect()
    const { rows } = await client.query(
      `SELECT current_setting('application_name') AS name, current_setting('client_encoding') AS encoding`,
    )
    expect(rows).toEqual([{ name: 'howdah', encoding: 'UTF8' }])
  } finally {
    vi.unstubAllEnvs()
  }
})

it('runs a command with the server to be found, and its own output and status', async () => {
  using home = temporaryDirectory()
  await using session = await run(home.file('data'), { strategy: newest.strategy, database: 'app' })
  const script = 'console.log(process.env.PGDATABASE); process.exit(3)'
  const result = await session.exec(process.execPath, ['-e', script], { reject: false })
  expect(result).toMatchObject({ exitCode: 3, stdout: 'app' })
})
