import { createPostgresLeaser } from '@howdah/lease/postgres'
import { expect, test } from 'vitest'
import { refusalOf } from './describe-leaser.ts'
import { startPostgres } from './postgres-server.ts'

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
