import { expect, it } from 'vitest'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

ownPlace()

const workers = process.env['HOWDAH_TEST_LONG'] === '1' ? 64 : 5

/** Three tests, each alone in its database; gives the names of the databases. */
const work = `(async () => {
  const names = []
  for (let n = 0; n < 3; n += 1) {
    const db = await databases.create()
    const { rows } = await db.query('INSERT INTO t VALUES (1) RETURNING (SELECT count(*)::int FROM t) AS before')
    if (rows[0].before !== 0) throw new Error('somebody else was here')
    names.push(db.name)
    await db.release()
  }
  return names
})()`.replaceAll('\n', ';')

it.each([
  ['a server of our own', null],
  ['a server that has few more connections than there are workers', workers * 1.5 + 3],
])(
  `${workers} workers that begin at once migrate once, and each test is alone, on %s`,
  { timeout: 300_000 },
  async (_, connections) => {
    using project = new Project()
    await using server =
      connections === null
        ? null
        : await givenServer(undefined, { max_connections: String(Math.round(connections)) })
    const options = { root: project.root, ...(server !== null && { server: server.url }) }
    const all = Array.from({ length: workers }, () => new Worker(options))
    try {
      const names = (await Promise.all(all.map(async (one) => await one.ask(work)))) as string[][]
      expect(new Set(names.flat()).size).toBe(workers * 3)
      expect(project.lines('migrated')).toHaveLength(1)
      await Promise.all(all.map(async (one) => await one.end()))
      expect(await Promise.all(all.map(async ({ ended }) => await ended))).toEqual(
        all.map(() => 'status 0'),
      )
      expect((await server?.databases('howdah_test_%')) ?? []).toEqual([])
    } finally {
      await Promise.all(all.map(async (one) => await one[Symbol.asyncDispose]()))
    }
  },
)
