import { fixture, testDatabases } from '@howdah/testing'
import { expect, test as base } from '@playwright/test'
import { startServer } from '../src/server.js'

const databases = testDatabases({ migrate: 'migrations/*.sql' })
const test = base.extend({
  db: fixture(databases),
  api: async ({ db }, use) => {
    const server = await startServer(db.pool())
    await use(server.url)
    server.close()
  },
})

for (const text of ['buy hay', 'brush the elephant']) {
  test(`${text} is the first note`, async ({ api, request }) => {
    const added = await request.post(api, { data: text })
    expect(await added.json()).toEqual({ id: 1 })
    expect(await (await request.get(api)).json()).toEqual([{ id: 1, text }])
  })
}
