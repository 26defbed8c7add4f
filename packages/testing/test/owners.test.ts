import { join } from 'node:path'
import { times, until } from '@howdah/fixtures'
import { escapeIdentifier, escapeLiteral } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { dropKnownDatabases, knownDatabases } from '../src/inventory.ts'
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

const hold = 'held.push(await databases.create()), held.at(-1).name'

it('drops the databases of a killed process when the next process comes', async () => {
  using project = new Project()
  await using killed = new Worker({ root: project.root, server: server.url })
  const name = await killed.ask(hold)
  await killed.kill()
  expect(await server.databases()).toContain(name)
  await using databases = testDatabases(project.options({ server: server.url }))
  await databases.create()
  await until('it is dropped', async () => !(await server.databases()).includes(String(name)))
})

it('drops no database of a living process, running or suspended, even if it drops everything', async () => {
  using project = new Project()
  await using living = new Worker({ root: project.root, server: server.url })
  await using stopped = new Worker({ root: project.root, server: server.url })
  const names = [await living.ask(hold), await stopped.ask(hold)]
  stopped.process.kill('SIGSTOP')
  // If it was suspended while it looked at the template, it is passed over after a quarter of that.
  const databases = testDatabases(project.options({ server: server.url, timeout: 20_000 }))
  await databases.create()
  await databases.end()
  expect(await server.databases()).toEqual(expect.arrayContaining(names))
  stopped.process.kill('SIGCONT')
  expect(await stopped.ask('(await held[0].query("SELECT 1")).rowCount')).toBe(1)
  await Promise.all([living.end(), stopped.end()])
})

it.each([
  ['ahead', 0],
  ['back', 9e9],
])('takes nothing from a process that lives when the clock jumps %s by years', async (_, at) => {
  using project = new Project()
  const options = project.options({ server: server.url, ahead: 0 })
  // Nothing is left by earlier tests, which it would drop meanwhile.
  const first = testDatabases(options)
  await first.create()
  await first.end()
  await using living = testDatabases(options)
  await using db = await living.create()
  // All that is there was written down at another time than it seems to be now.
  const mine: string[] = [db.name]
  for (const name of await server.databases()) {
    const { rows } = await server.superuser.query<{ label: string }>(
      `SELECT shobj_description(oid, 'pg_database') AS label FROM pg_database WHERE datname = $1`,
      [name],
    )
    const label = { ...(JSON.parse(rows[0]?.label ?? '{}') as { template?: string }), at }
    if (name === db.name) mine.push(label.template ?? '')
    await server.superuser.query(
      `COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(JSON.stringify(label))}`,
    )
  }
  const other = testDatabases({ ...options, name: 'another' })
  await other.create()
  await other.end()
  expect(await server.databases()).toEqual(expect.arrayContaining(mine))
  expect((await db.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  await using more = await living.create()
  expect((await more.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
})

it('leaves only templates after an orderly end', async () => {
  using project = new Project()
  await using killed = new Worker({ root: project.root, server: server.url })
  await killed.ask(hold)
  await killed.kill()
  const databases = testDatabases(project.options({ server: server.url }))
  const all = await Promise.all([databases.create(), databases.create(), databases.create()])
  expect(new Set(all.map(({ name }) => name)).size).toBe(3)
  await databases.end()
  expect(await server.databases('howdah_test_%')).toEqual([])
  expect(await server.databases()).not.toEqual([])
})

it('takes over an unused database of another process, and never a used one', async () => {
  using project = new Project()
  const options = { root: project.root, server: server.url }
  await using first = new Worker(options)
  await first.ask(hold)
  await first.ask(`(await held[0].query('INSERT INTO t VALUES (1)')).rowCount`)
  const used = await first.ask('held[0].name')
  const made = await until('another one is made', async () => {
    const { rows } = await server.superuser.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database d WHERE datname LIKE 'howdah_test_%' AND datname <> $1
          AND shobj_description(oid, 'pg_database') LIKE '%"ready"%'`,
      [used],
    )
    return rows[0]?.name
  })
  await first.kill()
  await using second = new Worker(options)
  expect(await second.ask(hold)).toBe(made)
  expect(await second.ask('(await held[0].query("SELECT * FROM t")).rows')).toEqual([])
  await second.end()
})

it('leaves unused databases to the next run on a server that lingers; each goes to one process, and to none with another template', async () => {
  using project = new Project()
  await using observer = testDatabases(project.options({ name: 'observer', ahead: 0 }))
  const db = await observer.create()
  const unused = async () => {
    const { rows } = await db.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%"ready"%'`,
    )
    return rows.map(({ name }) => name)
  }
  const options = { root: project.root, linger: 1 }
  await using first = new Worker(options)
  const used = [await first.ask(hold), await first.ask(hold), await first.ask(hold)]
  await until('three are made ahead', async () => (await unused()).length === 3)
  await first.end()
  const left = await unused()
  expect(left).toHaveLength(2)
  await using other = new Worker({ ...options, key: [{ version: 2 }] })
  expect(left).not.toContain(await other.ask(hold))
  const next = [new Worker(options), new Worker(options)]
  const names = await Promise.all(next.map(async (worker) => await worker.ask(hold)))
  await Promise.all(next.map(async (worker) => await worker.kill()))
  expect(names.some((name) => left.includes(String(name)))).toBe(true)
  expect(new Set([...names, ...used])).toHaveProperty('size', 5)
})

it('lists a database without an owner that is left to the next run, and drops it on request', async () => {
  using project = new Project()
  await using observer = testDatabases(project.options({ name: 'observer', ahead: 0 }))
  await observer.create()
  await using worker = new Worker({ root: project.root, linger: 1, name: 'left' })
  await worker.ask(hold)
  const left = async () =>
    (await knownDatabases()).filter(
      ({ project: name, state }) => name === 'left' && state === 'ready',
    )
  await until('one is made ahead', async () => (await left()).length === 1)
  await worker.end()
  const [found] = await left()
  expect(found).toMatchObject({ isOwned: false, test: null })
  expect(await dropKnownDatabases([found?.name ?? ''])).toEqual([found?.name])
  expect(await left()).toEqual([])
})

it('never takes over a database that was given out, even if its process was killed in that instant', async () => {
  using project = new Project()
  const options = project.options()
  await using databases = testDatabases(options)
  const db = await databases.create()
  for (let round = 0; round < times(2, 50); round += 1) {
    await using killed = new Worker({ root: project.root })
    await killed.ask(hold)
    await until('it has connected to one ahead', async () => {
      const pid = String(await killed.ask('process.pid'))
      const { rows } = await db.query(
        `SELECT FROM pg_database d JOIN pg_stat_activity a ON a.datid = d.oid
          WHERE shobj_description(d.oid, 'pg_database') LIKE '%"ready"%' AND application_name LIKE 'howdah-testing ${pid}@%'`,
      )
      return rows.length > 0
    })
    const kill = [
      'const { name } = await databases.create()',
      `process.getBuiltinModule('node:fs').appendFileSync(${JSON.stringify(join(project.root, 'used'))}, name + '\\n')`,
      `process.kill(process.pid, 'SIGKILL')`,
    ]
    killed.tell(`(async () => { ${kill.join('; ')} })()`)
    await killed.ended
    await using next = new Worker({ root: project.root })
    const names = [await next.ask(hold), await next.ask(hold), await next.ask(hold)]
    await next.kill()
    expect(project.lines('used')).toHaveLength(round + 1)
    expect(names).not.toContain(project.lines('used').at(-1))
  }
})

it('judges only by locks that it can see: databases of other administrative databases stay', async () => {
  using project = new Project()
  const foreign = 'howdah_test_0123456789_999999_0123456789ab'
  await server.superuser.query(`CREATE DATABASE ${foreign} OWNER tester`)
  const databases = testDatabases(project.options({ server: server.url }))
  await databases.create()
  await databases.end()
  expect(await server.databases()).toContain(foreign)
  await server.superuser.query(`DROP DATABASE ${foreign}`)
})

it('finds the owners of databases however the URL names the server', async () => {
  using project = new Project()
  await using worker = new Worker({ root: project.root, server: server.url })
  const name = await worker.ask(hold)
  const other = server.urlOf('template1')
  const databases = testDatabases(project.options({ server: other }))
  await databases.create()
  await databases.end()
  expect(await server.databases()).toContain(name)
  await worker.end()
})
