import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
// Was: '@testcontainers/postgresql'.
import { PostgreSqlContainer } from '@howdah/testing/testcontainers'
import { Client } from 'pg'

let container
before(async () => {
  container = await new PostgreSqlContainer('postgres:latest').start()
})
after(async () => {
  await container.stop()
})

test('a snapshot brings the rows back', async () => {
  const query = async (sql) => {
    const client = new Client({ connectionString: container.getConnectionUri() })
    await client.connect()
    const { rows } = await client.query(sql)
    await client.end()
    return rows
  }
  await query('CREATE TABLE notes AS SELECT 1 AS id')
  await container.snapshot()
  await query('DELETE FROM notes')
  await container.restoreSnapshot()
  assert.deepEqual(await query('SELECT id FROM notes'), [{ id: 1 }])
})
