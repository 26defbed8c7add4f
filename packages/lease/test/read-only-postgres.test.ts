import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { createPostgresLeaser } from '@howdah/lease/postgres'
import { expect, test } from 'vitest'
import { refusalOf } from './describe-leaser.ts'
import { postgresStrategy, startPostgres } from './postgres-server.ts'

test('a server on which nothing may be written says so, and the way out', async () => {
  await using server = await startPostgres()
  const pool = await server.session.pool()
  try {
    await pool.query('ALTER DATABASE postgres SET default_transaction_read_only = on')
    for (const table of ['missing', 'made']) {
      await using leaser = await createPostgresLeaser({
        name: 'x',
        table,
        connectionString: server.session.url(),
      })
      const refusal = await refusalOf(leaser.acquire())
      expect(refusal).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE', cause: { code: '25006' } })
      expect((refusal as Error).message).toMatch(
        /cannot be written, for default_transaction_read_only is on; turn that off for this user or database$/,
      )
    }
  } finally {
    await pool.end()
  }
})

test('a standby says that it is one, and tells who holds the lease all the same', async () => {
  using directory = temporaryDirectory()
  const dataDir = directory.file('data')
  const strategy = postgresStrategy()
  {
    const session = await run(dataDir, { strategy })
    {
      await using leaser = await createPostgresLeaser({
        name: 'x',
        connectionString: session.url(),
      })
      await leaser.acquire()
    }
    expect(await session.leave()).toBe('stopped')
  }
  // Without a primary it goes on waiting for WAL, and answers queries meanwhile.
  writeFileSync(join(dataDir, 'standby.signal'), '')
  const session = await run(dataDir, { strategy, atEnd: 'destroy' })
  try {
    await using leaser = await createPostgresLeaser({
      name: 'x',
      connectionString: session.url(),
    })
    const refusal = await refusalOf(leaser.acquire())
    expect(refusal).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE', cause: { code: '25006' } })
    expect((refusal as Error).message).toMatch(
      /is on a standby, which cannot be written; give the address of the primary, or promote/,
    )
    expect(await leaser.inspect()).toMatchObject({ generation: 1n, held: true })
  } finally {
    await session.leave()
  }
})
