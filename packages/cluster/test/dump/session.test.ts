import { readFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'

it('a session dumps its own database or another one, and loads into its own or another one', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await using session = await cluster.run({ database: 'app' })
  const client = await session.connect()
  await client.query("CREATE TABLE pets AS SELECT 'Otis' AS name")
  const args = ['--restrict-key=thesame']
  const dumped = await session.dump({ to: home.file('app.sql'), args })
  expect(dumped).toMatchObject({ path: home.file('app.sql') })
  await session.createDatabase('copy')
  const loaded = await session.load({ from: home.file('app.sql'), database: 'copy' })
  expect(loaded).toMatchObject({ rows: 1, skipped: 0 })
  await session.dump({ to: home.file('copy.sql'), database: 'copy', args })
  const text = readFileSync(home.file('app.sql'), 'utf8')
  expect(text).toContain('Otis')
  expect(readFileSync(home.file('copy.sql'), 'utf8')).toBe(text)
  await client.query('DROP TABLE pets')
  await session.load({ from: home.file('copy.sql') })
  expect((await client.query('TABLE pets')).rows).toEqual([{ name: 'Otis' }])
})
