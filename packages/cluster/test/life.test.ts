import { existsSync, statSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '../src/index.ts'
import { everyPostgres } from '@howdah/postgres-fixtures'

describe.each(everyPostgres)('the life of a cluster on $name', ({ major, strategy }) => {
  it('goes from nothing to nothing', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    expect(await cluster.status()).toEqual({ state: 'missing' })

    expect(await cluster.create()).toBe('modified')
    expect(await cluster.create()).toBe('unmodified')
    expect(await cluster.status()).toMatchObject({ state: 'stopped' })
    expect(String(await cluster.version())).toBe(String(major))

    expect(await cluster.start()).toBe('modified')
    expect(await cluster.start()).toBe('unmodified')
    expect(await cluster.status()).toMatchObject({ state: 'running', ours: true, pinned: true })

    const server = await cluster.server()
    expect(await server.createDatabase('Foo"BAR')).toBe('modified')
    expect(await server.createDatabase('Foo"BAR')).toBe('unmodified')
    expect(await server.databases()).toContain('Foo"BAR')
    const client = await server.connect('Foo"BAR')
    const { rows } = await client.query(
      `SELECT current_setting('server_version_num')::int / 10000 AS major, current_database() AS database,
              current_setting('application_name') AS name, current_setting('TimeZone') AS zone,
              pg_encoding_to_char(encoding) AS encoding, datcollate AS collation
         FROM pg_database WHERE datname = current_database()`,
    )
    await client.end()
    expect(rows).toEqual([
      { major, database: 'Foo"BAR', name: 'howdah', zone: 'UTC', encoding: 'UTF8', collation: 'C' },
    ])
    expect(await server.dropDatabase('Foo"BAR')).toBe('modified')
    expect(await server.dropDatabase('Foo"BAR')).toBe('unmodified')
    const superusers = await server.superusers()

    expect(await cluster.stop()).toBe('modified')
    expect(await cluster.stop()).toBe('unmodified')
    expect(await cluster.superusers()).toEqual(superusers)
    expect(statSync(cluster.logFile).mode & 0o777).toBe(0o600)

    expect(await cluster.destroy()).toBe('modified')
    expect(await cluster.destroy()).toBe('unmodified')
    expect(existsSync(cluster.dataDir)).toBe(false)
  })
})

it('runs against every PostgreSQL from 10 to 18 if there are packages', () => {
  const here = process.platform === 'linux' && process.arch === 'x64'
  expect(everyPostgres.length).toBeGreaterThanOrEqual(here ? 9 : 1)
})
