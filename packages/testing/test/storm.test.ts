import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, until } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

ownPlace()

const rounds = process.env['HOWDAH_TEST_LONG'] === '1' ? 200 : 4

/** What a worker does until it is killed, or has done enough: tests one after another, each alone in its database. */
const work = `(async () => {
  for (let n = 0; n < 30; n += 1) {
    const db = await databases.create()
    const { rows } = await db.query('INSERT INTO t VALUES (1) RETURNING (SELECT count(*)::int FROM t) AS before')
    if (rows[0].before !== 0) throw new Error('somebody else was here')
    await db.query('SELECT pg_sleep(0.005)')
    await db.release()
  }
  return 'worked'
})()`.replaceAll('\n', ';')

it(
  `leaves nothing, and takes nothing from the living, in ${rounds} rounds of SIGKILLs`,
  { timeout: 60_000 + rounds * 15_000 },
  async () => {
    const random = seededRandom(1)
    using project = new Project()
    await using server = await givenServer(undefined, { max_connections: '200' })
    const start = () => new Worker({ root: project.root, server: server.url })
    for (let round = 0; round < rounds; round += 1) {
      await using living = start()
      await using first = start()
      await using second = start()
      const held = await living.ask('(globalThis.mine = await databases.create()).name')
      for (const one of [first, second]) one.tell(work)
      await sleep(random.below(400))
      await first.kill()
      if (random.below(2) === 0) await second.kill()
      else {
        // It throws if somebody has dropped what it used.
        await second.answer()
        await second.end()
      }
      // What lives has kept its own, whatever the others have dropped.
      expect(await living.ask('(await mine.query("SELECT 1")).rowCount')).toBe(1)
      expect(await server.databases()).toContain(held)
      await living.end()
      const databases = testDatabases(project.options({ server: server.url }))
      await using db = await databases.create()
      expect((await db.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
      await databases.end()
      await until('those that were connected to have ended', async () => {
        const next = testDatabases(project.options({ server: server.url }))
        await next.create()
        await next.end()
        return (await server.databases('howdah_test_%')).length === 0
      })
    }
  },
)

it(
  `goes on with new databases in ${rounds} rounds in which the server is killed`,
  { timeout: 60_000 + rounds * 15_000 },
  async () => {
    const random = seededRandom(2)
    using project = new Project()
    await using worker = new Worker({ root: project.root })
    const pid = `(await databases.create()).query("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int AS pid").then(({ rows }) => rows[0].pid)`
    for (let round = 0; round < rounds; round += 1) {
      const server = Number(await worker.ask(pid))
      worker.tell(work)
      await sleep(random.below(200))
      process.kill(server, 'SIGKILL')
      // The test that ran has lost its database.
      await worker.answer().catch(() => undefined)
      // The server's processes die one after another, and with them the databases that were made ahead.
      const next = async () => await worker.ask(pid).catch(() => server)
      await until('it has a database of another server', async () => (await next()) !== server)
    }
    await worker.end()
    expect(await worker.ended).toBe('status 0')
  },
)
