import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { callbackify } from 'node:util'
import { dump } from '@howdah/dump'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

const home = temporaryDirectory()
const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
let session: Session

beforeAll(async () => {
  session = await cluster.run({ tcp: true })
  const client = await session.connect()
  // Several MB, so that a dump takes longer than its beginning.
  await client.query(`CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS text
                        FROM generate_series(1, 10000) AS n`)
})

afterAll(async () => {
  await session.leave({ force: true })
  home[Symbol.dispose]()
})

const builtIn = { program: 'built-in' } as const
const options = { ...builtIn, args: ['--restrict-key=thesame'] }

/** Keeps what is written to it, slowly. */
class Slow extends Writable {
  readonly chunks: Buffer[] = []

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk)
    setImmediate(done)
  }
}

it('is written to a file that replaces another, or to a stream, by the socket and over TCP', async () => {
  const file = home.file('one.sql')
  writeFileSync(file, 'earlier')
  const progress: number[] = []
  const notices: string[] = []
  const { bytes } = await dump(session, {
    to: file,
    onNotice: (words) => notices.push(words),
    onProgress: (count) => progress.push(count),
    ...options,
  })
  const text = readFileSync(file, 'utf8')
  expect(Buffer.byteLength(text)).toBe(bytes)
  expect(notices).toEqual([])
  expect(progress.at(-1)).toBe(bytes)
  expect(progress).toEqual(progress.toSorted((one, other) => one - other))
  const slow = new Slow()
  expect(await dump({ url: session.url() }, { to: slow, ...options })).toMatchObject({
    bytes,
    path: null,
  })
  expect(Buffer.concat(slow.chunks).toString()).toBe(text)
})

it('leaves an existing file unchanged if it fails, and no file beside it', async () => {
  const directory = home.file('failing')
  const file = `${directory}.sql`
  writeFileSync(file, 'earlier')
  const left = () => readdirSync(home.path).filter((name) => name.startsWith('failing'))
  for (const args of [['--nonsense'], ['--table=none_of_them'], ['--format=directory']]) {
    const failure = dump(session, { to: file, ...builtIn, args })
    await expect(failure).rejects.toMatchObject({ code: 'ERR_DUMP_FAILED' })
  }
  await expect(dump(session, { to: file, ...builtIn, database: 'none' })).rejects.toThrow(
    /"none" does not exist/,
  )
  const controller = new AbortController()
  const aborted = dump(session, {
    to: file,
    ...builtIn,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  expect(readFileSync(file, 'utf8')).toBe('earlier')
  expect(left()).toEqual(['failing.sql'])
})

it('fails if its connection is ended meanwhile', async () => {
  const other = new Cluster(home.file('other'), { strategy: newest.strategy })
  await using its = await other.run()
  const client = await its.connect()
  await client.query(`CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS text
                        FROM generate_series(1, 20000) AS n`)
  // Nothing is taken of the output before the connection has ended, so that most of the table has not come then.
  const end = async () => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_dump'`,
    )
    await client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  }
  let ending: Promise<void> | null = null
  const to = new Writable({ write: callbackify(async () => await (ending ??= end())) })
  const dumped = dump(its, { to, ...builtIn })
  await expect(dumped).rejects.toMatchObject({
    code: 'ERR_DUMP_FAILED',
    message: expect.stringMatching(/terminat|connection/) as unknown,
  })
})

it.each([
  '-h',
  '--host=x',
  '-Uname',
  '--username',
  '-f',
  '--file=y',
  '-d',
  '--dbname=z',
  '--port=1',
  '-W',
])('refuses %s, which says where to connect or where the output goes', async (arg) => {
  const refused = dump(session, { to: home.file('none.sql'), args: [arg] })
  await expect(refused).rejects.toMatchObject({ code: 'ERR_DUMP_OPTION' })
  expect(existsSync(home.file('none.sql'))).toBe(false)
})
