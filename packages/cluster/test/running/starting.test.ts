import {
  appendFileSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'
import { newest, Worker } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeAll(async () => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
})

afterAll(() => home[Symbol.dispose]())

it("carries the server's own words when it does not start, and leaves none running", async () => {
  await expect(cluster.run({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_START_FAILED',
    log: expect.stringContaining('invalid value for parameter "shared_buffers": "plenty"'),
    message: expect.stringMatching(/it ended with status \d+; its log says:/),
  })
  expect(await cluster.status()).toMatchObject({ state: 'stopped' })
})

it('says what is wrong with the configuration', async () => {
  const configuration = home.file('data', 'postgresql.conf')
  const { size } = statSync(configuration)
  appendFileSync(configuration, "\nno_such_setting = 'x'\n")
  try {
    await expect(cluster.run()).rejects.toMatchObject({
      log: expect.stringContaining('no_such_setting'),
    })
  } finally {
    truncateSync(configuration, size)
  }
  await using session = await cluster.run()
  expect(session.started).toBe('modified')
})

it.each([
  [{ 'shared buffers': '1MB' }, 'a name is made of'],
  [{ port: '5432' }, 'howdah sets it itself'],
  [{ LISTEN_ADDRESSES: '*' }, 'howdah sets it itself'],
  [{ work_mem: '1\0' }, 'NUL'],
])('refuses the settings %j', async (settings, why) => {
  await expect(cluster.run({ settings })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_INVALID_SETTING',
    message: expect.stringContaining(why),
  })
})

it('applies settings with any value', async () => {
  const value = `it's 100% "$HOME" \\ 🐘`
  await using session = await cluster.run({ settings: { 'howdah.motto': value, work_mem: '7MB' } })
  const client = await session.connect()
  const { rows } = await client.query(
    `SELECT current_setting('howdah.motto') AS motto, current_setting('work_mem') AS memory`,
  )
  expect(rows).toEqual([{ motto: value, memory: '7MB' }])
})

it('is private, whatever the settings say', async () => {
  await using session = await cluster.run({ settings: { unix_socket_directories: '.' } })
  expect(statSync(home.file('data', '.s.PGSQL.1')).mode & 0o777).toBe(0o700)
  expect(session.address).toMatchObject({ port: 1, password: null })
  expect(await cluster.status()).toMatchObject({ listenAddress: null })
})

it('puts a log of more than 10 MB aside', async () => {
  writeFileSync(cluster.logFile, Buffer.alloc(10 * 1024 * 1024 + 1, 'old\n'))
  await using session = await cluster.run()
  expect(session.started).toBe('modified')
  expect(statSync(`${cluster.logFile}.1`).size).toBe(10 * 1024 * 1024 + 1)
  expect(readFileSync(cluster.logFile, 'utf8')).toContain('ready to accept connections')
  const last: string[] = []
  for await (const text of cluster.logs({ lines: 1 })) last.push(text)
  expect(last.join('')).toMatch(/^.*ready to accept connections\n$/)
})

it('listens on TCP when asked to: on 127.0.0.1, with a password of its own', async () => {
  await using session = await cluster.run({ tcp: true })
  expect(session.address).toMatchObject({
    host: '127.0.0.1',
    password: expect.stringMatching(/^.{32}$/),
  })
  expect(statSync(home.file('data', 'howdah.password')).mode & 0o777).toBe(0o600)

  const connect = async (url: string) => {
    const client = new Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('SHOW password_encryption')
    await client.end()
    return rows
  }
  expect(await connect(session.url())).toHaveLength(1)
  const wrong = session.url().replace(session.address.password ?? '', 'guess')
  await expect(connect(wrong)).rejects.toMatchObject({ code: '28P01' })
})

it('finds another port when its own is taken, and says so when it was asked for', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    const address = squatter.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    await expect(cluster.run({ tcp: address.port })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_PORT_TAKEN',
      cause: { log: expect.stringContaining('Address already in use') },
    })
    await using session = await cluster.run({ tcp: true })
    expect(session.address.port).not.toBe(address.port)
  } finally {
    squatter.close()
  }
})

it('gives TCP to a server that has none when nobody else uses it, and else says who does', async () => {
  {
    await using other = new Worker('use', cluster.dataDir, newest)
    await other.next()
    await expect(cluster.run({ tcp: true })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_IN_USE',
      users: [{ pid: other.process.pid }],
    })
    await other.leave()
  }
  await cluster.start()
  {
    await using session = await cluster.run({ tcp: true })
    expect(session.address.host).toBe('127.0.0.1')
  }
  expect(await cluster.status()).toMatchObject({ state: 'running', pinned: true })
  await cluster.stop()
  expect(existsSync(cluster.pidFile)).toBe(false)
})
