import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

let home: TemporaryDirectory
let session: Session

beforeAll(async () => {
  home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  session = await cluster.run({ database: 'app' })
  await session.createDatabase('other')
})

afterAll(async () => {
  await session.leave()
  home[Symbol.dispose]()
})

const sql = `SELECT current_database() AS database, current_setting('application_name') AS name,
  current_setting('search_path') AS path`

describe('connections are asked for as one would guess', () => {
  it.each<[string, Parameters<Session['connect']>[0], object]>([
    ['nothing', undefined, { database: 'app', name: 'howdah' }],
    ['a name', 'other', { database: 'other' }],
    ['{ database }', { database: 'other' }, { database: 'other' }],
    ['other options', { application_name: 'mine' }, { database: 'app', name: 'mine' }],
    ['options of the server', { options: '-c search_path=x' }, { path: 'x' }],
    ['undefined', { database: undefined, application_name: undefined }, { name: 'howdah' }],
  ])('connect by %s', async (_, options, expected) => {
    const client = await session.connect(options)
    expect((await client.query(sql)).rows).toEqual([expect.objectContaining(expected)])
    await client.end()
  })

  it('pools are asked for by the same, and by a name and options', async () => {
    for (const pool of [
      await session.pool({ database: 'other', max: 2 }),
      await session.pool('other', { max: 2 }),
    ]) {
      expect(pool.options.max).toBe(2)
      expect((await pool.query(sql)).rows).toEqual([expect.objectContaining({ database: 'other' })])
      await pool.end()
    }
  })
})

describe('a database that is copied', () => {
  it('is copied with what is in it', async () => {
    const client = await session.connect('other')
    await client.query('CREATE TABLE t ()')
    await client.end()
    expect(await session.createDatabase('copy', { template: 'other' })).toBe('modified')
    expect(await session.createDatabase('copy', { template: 'other' })).toBe('unmodified')
    const copy = await session.connect('copy')
    expect((await copy.query(`SELECT to_regclass('t')::text AS t`)).rows).toEqual([{ t: 't' }])
    await copy.end()
  })

  it.each(['template1', 'other'])('says who is connected to %s, at once', async (template) => {
    const client = await session.connect({ database: template, application_name: 'my psql' })
    const refused = session.createDatabase('new', { template })
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLUSTER_TEMPLATE_IN_USE',
      message: expect.stringMatching(/: my psql as ".*", idle, since .* \(backend \d+\); end that/),
    })
    await client.end()
    expect(await session.createDatabase('new', { template })).toBe('modified')
    await session.dropDatabase('new')
  })
})

describe('a template of text', () => {
  it('is filled in', () => {
    const { host, user } = session.address
    expect(session.fill('{url}')).toBe(session.url())
    expect(session.fill('h={host} u={user} p={password}. d={database} at {dataDir}')).toBe(
      `h=${host} u=${user} p=. d=app at ${session.dataDir}`,
    )
    expect(session.fill('{"a": {}} {1}', 'other')).toBe('{"a": {}} {1}')
    expect(session.fill('{database}', 'other')).toBe('other')
  })

  it.each([
    ['{nonsense}', /there is no \{nonsense\} .*\{url\}, \{base\}/],
    ['{base}', /TCP/],
  ])('is refused with %s over the socket', (template, message) => {
    expect(() => session.fill(template)).toThrow(message)
  })
})
