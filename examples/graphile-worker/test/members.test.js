import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { runMigrations, runOnce } from 'graphile-worker'
import { join, tasks } from '../src/members.js'

// The tables of the worker and of the application are made once, and copied for each test.
const databases = testDatabases({
  key: ['migrations/*', 'package.json'],
  migrate: async ({ url, client }) => {
    await runMigrations({ connectionString: url })
    await client.query(await readFile('migrations/001-members.sql', 'utf8'))
  },
})

test('a new member is welcomed', async () => {
  const db = await databases.create()
  await join(db.pool(), 'ann')
  await runOnce({ connectionString: db.url, taskList: tasks })
  const { rows } = await db.query('SELECT name, welcomed IS NOT NULL AS welcomed FROM members')
  assert.deepEqual(rows, [{ name: 'ann', welcomed: true }])
  await db.release()
})

test('who does not become a member has no job', async () => {
  const db = await databases.create()
  await join(db.pool(), 'ann')
  await assert.rejects(join(db.pool(), 'ann'), { code: '23505' })
  const { rows } = await db.query('SELECT count(*)::int AS jobs FROM graphile_worker.jobs')
  assert.deepEqual(rows, [{ jobs: 1 }])
  await db.release()
})
