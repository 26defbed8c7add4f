import assert from 'node:assert/strict'
import { testDatabases } from '@howdah/testing'
import { Notes } from '../src/notes.js'

const databases = testDatabases({ migrate: 'migrations/*.sql' })

describe('notes', () => {
  let db
  beforeEach(async function () {
    this.timeout(60_000)
    db = await databases.create()
  })
  afterEach(async () => {
    await db.release()
  })

  for (const text of ['buy hay', 'brush the elephant']) {
    it(`has ${text} as its first note`, async () => {
      assert.equal(await new Notes(db.pool()).add(text), 1)
    })
  }
})
