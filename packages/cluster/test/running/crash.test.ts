import { existsSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Cluster, temporary } from '../../src/index.ts'

const { strategy } = newest

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory()
  process.env['HOWDAH_TEMPORARY_DIR'] = home.path
})

afterEach(() => {
  delete process.env['HOWDAH_TEMPORARY_DIR']
  home[Symbol.dispose]()
})

it.each([
  ['a temporary one', async () => await temporary({ strategy, tcp: true, database: 'app' })],
  [
    'one that stays',
    async () =>
      await new Cluster(home.file('data'), { strategy }).run({ tcp: true, database: 'app' }),
  ],
])('a server that was crashed comes back at the same port: %s', async (_, run) => {
  await using session = await run()
  const { port } = session.address
  const client = await session.connect()
  await client.query('CREATE TABLE t AS SELECT 42 AS n')
  const busy = (await session.connect()).query('SELECT pg_sleep(600)')
  busy.catch(() => undefined)
  const ended = new Promise((resolve) => client.once('end', resolve))

  expect(await session.crash()).toBe('modified')
  await ended
  await expect(busy).rejects.toThrow(/[Cc]onnection/)
  await expect(session.connect()).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_RUNNING' })
  expect(await session.crash()).toBe('unmodified')

  await session.restart()
  expect(session.address.port).toBe(port)
  const again = await session.connect()
  expect((await again.query('SELECT n FROM t')).rows).toEqual([{ n: 42 }])
})

it('a server that was crashed is gone when its session was left', async () => {
  const session = await temporary({ strategy })
  await session.crash()
  await session.leave()
  expect(existsSync(session.dataDir)).toBe(false)
})
