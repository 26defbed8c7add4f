import { readFileSync } from 'node:fs'
import { SmallDisk, until } from '@howdah/fixtures'
import { everyPostgres, startupOf } from '@howdah/postgres-fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'

const whyNot = SmallDisk.whyNot()

// Since 18, such a server does not end. The recovery of older ones than 15 needs no room.
const subjects = everyPostgres.filter(({ major }) => major >= 17)

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  it.each(subjects)(
    'a server that crashed and could not recover serves again as soon as there is room: $name',
    { timeout: 60_000 },
    async ({ strategy }) => {
      using disk = SmallDisk.mount(200 * 1024)
      const cluster = new Cluster(disk.file('data'), { strategy })
      await using session = await cluster.run()
      const client = await session.connect()
      await client.query('CREATE TABLE kept (n int)')
      await client.query('INSERT INTO kept VALUES (1)')
      const status = await cluster.status()
      if (status.state !== 'running') throw new Error('it does not run')
      disk.leave(0)
      // Each row needs a further file of WAL.
      const write = async () => {
        for (;;) await client.query('INSERT INTO kept VALUES (2); SELECT pg_switch_wal()')
      }
      const crashed = write().catch(String)
      const log = () => readFileSync(disk.file('data', 'postmaster.log'), 'utf8')
      await until('it recovers', () => log().includes('database system was interrupted'))
      // The postmaster learns at once that the recovery has begun and that it has failed.
      process.kill(status.pid, 'SIGSTOP')
      await until('its recovery has failed', () => /FATAL.*No space left/.test(log()))
      await until('nobody recovers it', () => startupOf(status.pid) === null)
      process.kill(status.pid, 'SIGCONT')
      expect(await crashed).toMatch(/No space left|terminat/)
      disk.makeRoom()
      await using again = await cluster.run({ timeout: 20_000 })
      const reader = await again.connect()
      const { rows } = await reader.query('SELECT n FROM kept WHERE n = 1')
      expect(rows).toEqual([{ n: 1 }])
    },
  )
})
