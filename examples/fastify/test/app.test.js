import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { app } from '../src/app.js'

const databases = testDatabases({ migrate: 'migrations/*.sql' })

for (const text of ['buy hay', 'brush the elephant']) {
  test(`${text} is the first note`, async () => {
    const db = await databases.create()
    const server = app(db.pool())
    const { statusCode } = await server.inject({ method: 'POST', url: '/notes', body: { text } })
    assert.equal(statusCode, 201)
    assert.deepEqual((await server.inject('/notes')).json(), [{ id: 1, text }])
    await db.release()
  })
}
