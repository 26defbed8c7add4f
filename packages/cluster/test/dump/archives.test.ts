import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump, load } from '@howdah/dump'
import { onlyIf, temporaryDirectory } from '@howdah/fixtures'
import { everyPostgres, newest } from '@howdah/postgres-fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'

/** A PostgreSQL with client programs. The bundled ones have none. */
const whole = everyPostgres.find(
  ({ place }) => 'bindir' in place && existsSync(join(place.bindir, 'pg_restore')),
)
const programs = onlyIf(whole !== undefined, 'no PostgreSQL here has pg_dump and pg_restore')

describe.skipIf(programs.skip)('with the client programs of the server', () => {
  it.each(['custom', 'tar'])(
    'an archive in the %s format is made of a database of any name, and loaded into it',
    async (format) => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy: whole?.strategy })
      const database = String.raw`dbname=odd 'name\ "here"`
      await using session = await cluster.run({ database })
      const client = await session.connect(database)
      await client.query("CREATE TABLE pets AS SELECT 'Otis' AS name")
      const file = home.file('archive')
      const dumped = await dump(session, { to: file, args: [`--format=${format}`] })
      expect(dumped.program).toMatch(/\/pg_dump$/)
      await client.query('DROP TABLE pets')
      const loaded = await load(session, { from: file })
      expect(loaded).toEqual({ statements: null, rows: null, skipped: 0 })
      expect((await client.query('TABLE pets')).rows).toEqual([{ name: 'Otis' }])
      const again = load(session, { from: file, singleTransaction: true })
      await expect(again).rejects.toMatchObject({ code: 'ERR_LOAD_FAILED', path: file })
    },
  )
})

it('an archive is refused without pg_restore, and with roles to create', async () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('bin'))
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await using session = await cluster.run()
  const without = {
    database: session.database,
    url: () => session.url(),
    clientOptions: () => session.clientOptions(),
    commandEnv: () => ({ ...session.commandEnv(), PATH: home.file('bin') }),
  }
  writeFileSync(home.file('archive'), 'PGDMP')
  const archive = { from: home.file('archive') }
  await expect(load(without, archive)).rejects.toMatchObject({ code: 'ERR_LOAD_FORMAT' })
  await expect(load(session, { ...archive, roles: 'create' })).rejects.toMatchObject({
    code: 'ERR_LOAD_OPTION',
  })
})
