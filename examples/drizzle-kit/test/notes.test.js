import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { drizzle } from 'drizzle-orm/node-postgres'
import { notes } from '../schema.js'

const databases = testDatabases({
  key: ['drizzle/**', 'drizzle.config.js'],
  incremental: true,
  migrate: { exec: ['drizzle-kit', 'migrate'] },
})

for (const text of ['buy hay', 'brush the elephant']) {
  test(`${text} is the first note`, async () => {
    const db = await databases.create()
    const orm = drizzle(db.pool())
    await orm.insert(notes).values({ text })
    assert.deepEqual(await orm.select().from(notes), [{ id: 1, text }])
    await db.release()
  })
}
