import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { everyPostgres, newest } from '@howdah/postgres-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporary } from '../../src/index.ts'

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory()
  process.env['HOWDAH_TEMPORARY_DIR'] = home.path
})

afterEach(() => {
  delete process.env['HOWDAH_TEMPORARY_DIR']
  home[Symbol.dispose]()
})

const sql = `SELECT 'a' < 'B' AS dictionary, lower('É') = 'é' AS unicode, upper('é') = 'É' AS upper`

it.each([
  [undefined, { dictionary: false, unicode: false }],
  ['C', { dictionary: false, unicode: false }],
  ['icu:en-US', { dictionary: true, unicode: true }],
  ['icu:und', { dictionary: true, unicode: true }],
  ['builtin:C.UTF-8', { dictionary: false, unicode: true }],
])('by the locale %s texts are compared', async (locale, expected) => {
  const { strategy } = newest
  await using session = await temporary({ strategy, locale, database: 'app' })
  const client = await session.connect()
  expect((await client.query(sql)).rows).toEqual([expect.objectContaining(expected)])
})

it('a locale that this PostgreSQL cannot have is refused with a reason', async () => {
  const old = everyPostgres.find(({ major }) => major < 15) ?? newest
  const locale = old.major < 15 ? 'icu:en-US' : 'xx_XX'
  await expect(temporary({ strategy: old.strategy, locale })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_CREATE_FAILED',
    message: expect.stringMatching(old.major < 15 ? /takes PostgreSQL 15 or later/ : /locale/),
  })
})

it('a temporary cluster has room for many pools', async () => {
  await using session = await temporary({ strategy: newest.strategy })
  expect((await session.settings.get('max_connections')).text).toBe('500')
  // As many locks as a server with PostgreSQL's own settings has room for, all of them together.
  const client = await session.connect()
  const tables = Array.from({ length: 6000 }, (_, at) => `CREATE TABLE t${at} ()`)
  await client.query(`BEGIN; ${tables.join(';')}; ROLLBACK`)
})
