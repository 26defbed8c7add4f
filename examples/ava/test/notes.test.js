import { testDatabases } from '@howdah/testing'
import test from 'ava'
import { Notes } from '../src/notes.js'

const databases = testDatabases({ migrate: 'migrations/*.sql' })

for (const text of ['buy hay', 'brush the elephant', 'water the elephant']) {
  test(`${text} is the first note`, async (t) => {
    const db = await databases.create({ test: t.title })
    t.teardown(() => db.release())
    t.is(await new Notes(db.pool()).add(text), 1)
  })
}
