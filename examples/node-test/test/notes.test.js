import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { Notes } from '../src/notes.js'

const databases = testDatabases({ migrate: 'migrations/*.sql' })
let db
beforeEach(async () => {
  db = await databases.create()
})
afterEach(async () => {
  await db.release()
})

test('a note gets the first number', async () => {
  const notes = new Notes(db.pool())
  assert.equal(await notes.add('buy hay'), 1)
  assert.deepEqual(await notes.list(), [{ id: 1, text: 'buy hay' }])
})

test('another test has the first number, too', async () => {
  assert.equal(await new Notes(db.pool()).add('brush the elephant'), 1)
})

test('an empty note is refused', async () => {
  await assert.rejects(new Notes(db.pool()).add(''), { code: '23514' })
})
