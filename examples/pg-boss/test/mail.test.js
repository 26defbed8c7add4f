import assert from 'node:assert/strict'
import { once, EventEmitter } from 'node:events'
import { test } from 'node:test'
import { testDatabases } from '@howdah/testing'
import { openMail } from '../src/mail.js'

// The tables of pg-boss are made once, and copied for each test.
const databases = testDatabases({
  key: ['package.json'],
  migrate: async ({ url }) => await (await openMail(url)).close(),
})

for (const name of ['ann', 'bob']) {
  test(`${name} gets a mail, although the first try fails, and nobody else does`, async () => {
    const db = await databases.create()
    const delivered = new EventEmitter()
    const tries = []
    const mail = await openMail(db.url, async (to) => {
      tries.push(to)
      if (tries.length === 1) throw new Error('the mail server is busy')
      delivered.emit('mail', to)
    })
    await mail.welcome(name)
    const first = once(delivered, 'mail')
    await mail.work()
    assert.deepEqual(await first, [name])
    assert.deepEqual(tries, [name, name])
    await mail.close()
    await db.release()
  })
}
