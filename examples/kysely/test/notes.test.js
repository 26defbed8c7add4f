import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { FileMigrationProvider, Kysely, Migrator, PostgresDialect } from 'kysely'
import { Pool } from 'pg'

const databases = testDatabases({
  key: ['migrations/*'],
  incremental: true,
  migrate: async ({ url }) => {
    const db = new Kysely({
      dialect: new PostgresDialect({ pool: new Pool({ connectionString: url }) }),
    })
    const provider = new FileMigrationProvider({
      fs,
      path,
      migrationFolder: path.resolve('migrations'),
    })
    const { error } = await new Migrator({ db, provider }).migrateToLatest()
    await db.destroy()
    if (error) throw error
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
