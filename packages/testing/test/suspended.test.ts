import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { Maker } from '../src/server/maker.ts'
import { lockKey } from '../src/server/names.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'
import { Worker } from './support/worker.ts'

ownPlace()

let server: Awaited<ReturnType<typeof givenServer>>
beforeAll(async () => {
  server = await givenServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const one = `(await databases.create()).query('SELECT 1 AS n').then(({ rows }) => rows)`
/** In ms, for processes to begin on a busy machine. */
const patience = 60_000
/** In ms: after a quarter of it, a maker that stands still is passed over. */
const timeout = 8000
/** How long a worker is suspended beyond what the others need, in ms. */
const suspension = process.env['HOWDAH_TEST_LONG'] === '1' ? 60_000 : 0

it('a finished template is used, though a suspended process keeps its lock', async () => {
  using project = new Project()
  const before = await server.databases('howdah_template_%')
  const first = testDatabases(project.options({ server: server.url }))
  await first.create()
  await first.end()
  const made = (await server.databases('howdah_template_%')).filter(
    (name) => !before.includes(name),
  )
  expect(made).toHaveLength(1)
  const holder = await server.connectTo('postgres')
  await holder.query('SELECT pg_advisory_lock($1)', [lockKey(made[0] ?? '')])
  await using next = testDatabases(project.options({ server: server.url, timeout }))
  await using db = await next.create()
  expect((await db.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  await holder.end()
})

it(
  'another template is made if the process that makes it is suspended, and both go on',
  { timeout: 2 * patience },
  async () => {
    using project = new Project()
    const options = { root: project.root, server: server.url, timeout }
    await using suspended = new Worker(options, { halts: true })
    suspended.tell(one)
    await until('it migrates', () => project.lines('migrated').length === 1, patience)
    suspended.process.kill('SIGSTOP')
    await using next = new Worker(options)
    await using third = new Worker(options)
    expect(await Promise.all([next.ask(one), third.ask(one)])).toEqual([[{ n: 1 }], [{ n: 1 }]])
    expect(project.lines('migrated')).toHaveLength(2)
    const said = [...next.notices, ...third.notices].join('\n')
    expect(said).toMatch(
      new RegExp(
        `howdah-testing ${suspended.pid}@\\S+ has stood still while it makes the template`,
      ),
    )
    // Whoever comes later does not wait for it, even if it still stands still.
    await using late = new Worker(options)
    expect(await late.ask(one)).toEqual([{ n: 1 }])
    expect(late.notices).toEqual([])
    project.write({ go: '' })
    suspended.process.kill('SIGCONT')
    expect(await suspended.answer()).toEqual([{ n: 1 }])
    for (const worker of [suspended, next, third, late]) await worker.end()
    expect(await server.databases('howdah_test_%')).toEqual([])
  },
)

it.each([
  ['a server of our own', false],
  ['a given server', true],
])(
  'a worker that is suspended while others come and go finds its database as it was, on %s',
  { timeout: 3 * patience },
  async (_, isGiven) => {
    using project = new Project()
    const options = { root: project.root, linger: 100, ...(isGiven && { server: server.url }) }
    await using suspended = new Worker(options)
    const name = await suspended.ask('(held[0] = await databases.create()).name')
    await suspended.ask('(await held[0].query("INSERT INTO t VALUES (1)")).rowCount')
    // It is in the middle of a transaction when it is suspended.
    await suspended.ask('(await held[0].query("BEGIN")).command')
    await suspended.ask('(await held[0].query("LOCK TABLE t")).command')
    suspended.process.kill('SIGSTOP')
    for (let others = 0; others < 3; others += 1) {
      await using other = new Worker(options)
      expect(await other.ask('(held[0] = await databases.create()).name')).not.toBe(name)
      await other.ask('held[0].release()')
      await other.end()
    }
    await sleep(suspension)
    suspended.process.kill('SIGCONT')
    const asked = '(await held[0].query("SELECT n FROM t")).rows'
    expect(await suspended.ask(asked)).toEqual([{ n: 1 }])
    await suspended.ask('(await held[0].query("COMMIT")).command')
    await suspended.ask('held[0].release()')
    expect(await suspended.ask(one)).toEqual([{ n: 1 }])
    await suspended.end()
    expect(project.lines('migrated')).toHaveLength(1)
  },
)

it('a process whose migration takes long is waited for', { timeout: 2 * patience }, async () => {
  using project = new Project()
  const options = { root: project.root, server: server.url, timeout }
  await using slow = new Worker(options, { slow: timeout / 4000 + 1 })
  slow.tell(one)
  await until('it migrates', () => project.lines('migrated').length === 1, patience)
  await using next = new Worker(options)
  expect(await next.ask(one)).toEqual([{ n: 1 }])
  expect(await slow.answer()).toEqual([{ n: 1 }])
  expect(project.lines('migrated')).toHaveLength(1)
  for (const worker of [slow, next]) await worker.end()
})

it(
  'a client that is suspended while it logs in keeps others waiting for a moment, though databases are dropped',
  { timeout: 2 * patience },
  async () => {
    using project = new Project()
    await using other = await givenServer(undefined, { authentication_timeout: '600s' })
    const options = project.options({ server: other.url, ahead: 0, timeout: 12_000 })
    const databases = testDatabases(options)
    const first = await databases.create()
    // It gets the request for a password, and answers nothing.
    const { host, port } = other.session.address
    const client = connect(port, host)
    client.write(startupMessage('tester', 'postgres'))
    await once(client, 'data')
    await first.release()
    const second = await databases.create()
    expect((await second.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
    await databases.end()
    const dropped = once(client, 'close')
    client.destroy()
    await dropped
    // What could not be dropped is neither used again nor left.
    const next = testDatabases(options)
    await using _ = await next.create()
    await next.end()
    expect(await other.databases('howdah_test_%')).toEqual([])
  },
)

describe('a drop of a database', () => {
  it('is given up after 3 s at most, and sooner with a short timeout', async () => {
    for (const [given, limit] of [
      [120_000, '3s'],
      [12_000, '1s'],
    ] as const) {
      await using maker = makerWith(given)
      const shown = await maker.drop(async (client) => await client.query('SHOW statement_timeout'))
      expect(shown?.rows).toEqual([{ statement_timeout: limit }])
    }
  })

  it('that waits for its turn is not tried if the one before was given up', async () => {
    await using maker = makerWith(1200)
    const tried: string[] = []
    const stuck = maker.drop(async (client) => {
      tried.push('stuck')
      await client.query('SELECT pg_sleep(600)')
    })
    const next = maker.drop(async () => await Promise.resolve(tried.push('next')))
    expect(await Promise.all([stuck, next])).toEqual([undefined, undefined])
    expect(tried).toEqual(['stuck'])
    // Other tasks are not put off.
    expect(await maker.run(async () => await Promise.resolve('run'))).toBe('run')
  })
})

/** A maker on the server. */
function makerWith(patient: number) {
  const maker = new Maker(async () => await server.connectTo('postgres'), patient)
  return Object.assign(maker, { [Symbol.asyncDispose]: async () => await maker.close() })
}

/** Source: "StartupMessage" in PostgreSQL's description of its protocol. */
function startupMessage(user: string, database: string): Buffer {
  const parameters = Buffer.from(`user\0${user}\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + parameters.length, 0)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, parameters])
}
