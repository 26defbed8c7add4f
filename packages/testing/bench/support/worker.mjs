// One worker of a test runner. Its argument is JSON: what to do, for how many tests, of how many ms. Prints JSON: the times, in ms.
import { setTimeout as sleep } from 'node:timers/promises'

const start = performance.now()
const { way, tests, work = 0, bindir } = JSON.parse(process.argv[2])
const ways = { howdah, byUrl, createDatabase, truncate, first }
process.stdout.write(`${JSON.stringify(await ways[way]())}\n`)
process.exit(0)

async function databasesOf() {
  const { testDatabases } = await import('../../dist/index.js')
  const { onPath } = await import('@howdah/runtime')
  const { schema } = await import('./schema.mjs')
  return testDatabases({
    name: 'bench',
    key: [{ schema }],
    migrate: async ({ client }) => await client.query(schema),
    strategy: onPath([bindir]),
  })
}

/** From `create()` to the answer of the first query; and what the process itself does for a test. */
async function howdah() {
  const databases = await databasesOf()
  return await measure(tests, {
    before: async () => await databases.create(),
    first: async (db) => await db.query('SELECT count(*) FROM t0'),
    after: async (db) => await db.release(),
  })
}

/** The same, by a client that connects by the URL. */
async function byUrl() {
  const databases = await databasesOf()
  const { Client } = await import('pg')
  let client
  return await measure(tests, {
    before: async () => await databases.create(),
    async first(db) {
      client = new Client({ connectionString: db.url })
      await client.connect()
      await client.query('SELECT count(*) FROM t0')
    },
    async after(db) {
      await client.end()
      await db.release()
    },
  })
}

/** What people write by hand. */
async function createDatabase() {
  const { Client } = await import('pg')
  const connect = async (database) => {
    const client = new Client({ connectionString: url(database) })
    await client.connect()
    return client
  }
  function url(database) {
    const { server } = JSON.parse(process.argv[2])
    return server.replace('/postgres?', `/${database}?`)
  }
  const admin = await connect('postgres')
  let n = 0
  return await measure(tests, {
    async before() {
      const name = `hand_${process.pid}_${(n += 1)}`
      await admin.query(`CREATE DATABASE ${name} TEMPLATE hand_template`)
      return { name, client: await connect(name) }
    },
    first: async ({ client }) => await client.query('SELECT count(*) FROM t0'),
    async after({ name, client }) {
      await client.end()
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  })
}

/** One database for each worker, all tables of which are truncated before each test. */
async function truncate() {
  const { Client } = await import('pg')
  const { server } = JSON.parse(process.argv[2])
  const admin = new Client({ connectionString: server })
  await admin.connect()
  const name = `truncated_${process.pid}`
  await admin.query(`CREATE DATABASE ${name} TEMPLATE hand_template`)
  const client = new Client({ connectionString: server.replace('/postgres?', `/${name}?`) })
  await client.connect()
  const tables = Array.from({ length: 30 }, (_, n) => `t${n}`).join(', ')
  return await measure(tests, {
    before: async () => await client.query(`TRUNCATE ${tables} RESTART IDENTITY CASCADE`),
    first: async () => await client.query('SELECT count(*) FROM t0'),
    after: async () => undefined,
  })
}

/** From the start of the process's own code to the first database's first answer. */
async function first() {
  const databases = await databasesOf()
  const imported = performance.now()
  const db = await databases.create()
  await db.query('SELECT 1')
  const ready = performance.now()
  // As runs of tests do, it lasts until a database is made ahead, which the next run takes over.
  await sleep(300)
  return { load: imported - start, times: [ready - imported] }
}

async function measure(count, { before, first: firstQuery, after }) {
  // The first test joins the server.
  const warm = await before()
  await firstQuery(warm)
  await after(warm)
  await sleep(100)
  const times = []
  const began = performance.now()
  for (let n = 0; n < count; n += 1) {
    const from = performance.now()
    const subject = await before()
    await firstQuery(subject)
    times.push(performance.now() - from)
    if (work > 0) await sleep(work)
    await after(subject)
  }
  return { times, total: performance.now() - began }
}
