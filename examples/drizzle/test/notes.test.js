import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'

const databases = testDatabases({
  key: ['drizzle/**'],
  incremental: true,
  migrate: async ({ client }) => await migrate(drizzle(client), { migrationsFolder: 'drizzle' }),
})

for (const text of ['buy hay', 'brush the elephant']) {
  test(`${text} is the first note`, async () => {
    const db = await databases.create()
    const { rows } = await db.query('INSERT INTO notes (text) VALUES ($1) RETURNING id', [text])
    assert.deepEqual(rows, [{ id: 1 }])
    await db.release()
  })
}
