import { readFileSync, writeFileSync } from 'node:fs'
import { dump, load } from '@howdah/dump'
import { temporaryDirectory } from '@howdah/fixtures'
import { everything, roles, somePostgres } from '@howdah/postgres-fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

/** pg_dump's, so that two dumps differ in nothing but what was dumped. */
const args = ['--restrict-key=thesame']

describe.each(somePostgres)('on $name', ({ major, strategy }) => {
  it('a database with everything that pg_dump knows is the same after a dump and a load', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    await using session = await cluster.run({ database: 'app', settings: { wal_level: 'logical' } })
    await session.createDatabase('copy')
    await loadText(session, home.file('roles.sql'), roles)
    await loadText(session, home.file('everything.sql'), everything(major))
    const first = await dump(session, { to: home.file('first.sql'), args, program: 'built-in' })
    expect(first).toMatchObject({ program: 'built-in', path: home.file('first.sql') })
    const notices: string[] = []
    const loaded = await load(session, {
      from: home.file('first.sql'),
      database: 'copy',
      onNotice: (words) => notices.push(words),
    })
    expect(notices).toEqual([])
    expect(loaded).toMatchObject({ rows: expect.any(Number), skipped: 0 })
    await dump(session, {
      to: home.file('second.sql'),
      database: 'copy',
      args,
      program: 'built-in',
    })
    const text = readFileSync(home.file('first.sql'), 'utf8')
    expect(Buffer.byteLength(text)).toBe(first.bytes)
    expect(text).toContain('COPY shop.item ')
    expect(readFileSync(home.file('second.sql'), 'utf8')).toBe(text)
  })
})

async function loadText(session: Session, file: string, sql: string): Promise<void> {
  writeFileSync(file, sql)
  await load(session, { from: file })
}
