import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { DataSource } from 'typeorm'
import { CreateNotes1700000000000 } from '../migrations/1700000000000-create-notes.js'

const databases = testDatabases({
  key: ['migrations/*'],
  incremental: true,
  migrate: async ({ url }) => {
    const source = new DataSource({ type: 'postgres', url, migrations: [CreateNotes1700000000000] })
    await source.initialize()
    await source.runMigrations()
    await source.destroy()
  },
})

for (const text of ['buy hay', 'brush the elephant']) {
  test(`${text} is the first note`, async () => {
    const db = await databases.create()
    const { rows } = await db.query('INSERT INTO notes (text) VALUES ($1) RETURNING id', [text])
    assert.deepEqual(rows, [{ id: 1 }])
    await db.release()
  })
}
