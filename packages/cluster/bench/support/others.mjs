// The other ways to a PostgreSQL.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedServer, installedIn } from './embedded-postgres.mjs'
import { asServer, connect, measure, request, temporaryDirectory } from './measure.mjs'
import { pss, treeOf } from './memory.mjs'

const { bindir, project } = request
const installed = async (library) => await installedIn(project, library)

export async function embedded() {
  const databaseDir = join(temporaryDirectory(), 'data')
  return await measure({
    load: async () => (await installed('embedded-postgres')).default,
    async ready(EmbeddedPostgres) {
      const server = await embeddedServer(EmbeddedPostgres, databaseDir, false)
      await server.start()
      const client = server.getPgClient()
      await client.connect()
      await client.query('SELECT 1')
      return { server, client }
    },
    servers: () => treeOf(databaseDir),
    database: async ({ server }) => await server.createDatabase('app'),
    async stop({ server, client }) {
      await client.end()
      await server.stop()
    },
  })
}

/** One database is all that it has; another is another instance. */
export async function pglite() {
  return await measure({
    load: async () => (await installed('@electric-sql/pglite')).PGlite,
    async ready(PGlite) {
      const db = await PGlite.create()
      await db.query('SELECT 1')
      return { PGlite, db }
    },
    servers: () => [],
    database: async (running) => {
      running.second = await running.PGlite.create()
      await running.second.query('SELECT 1')
    },
    stop: async ({ db }) => await db.close(),
  })
}

/** PGlite behind a socket, for one connection; it keeps its locks below the home directory. */
export async function prismaDev() {
  process.env.HOME = temporaryDirectory()
  const instance = `comparison-${process.pid}`
  let second
  const times = await measure({
    async load() {
      const { default: pg } = await import('pg')
      return { start: (await installed('@prisma/dev')).startPrismaDevServer, pg }
    },
    async ready({ start, pg }) {
      const server = await start({ name: instance })
      const client = new pg.Client(server.database.connectionString)
      await client.connect()
      await client.query('SELECT 1')
      return { start, server, client }
    },
    servers: () => [],
    database: async ({ start }) => {
      second = await start({ name: `${instance}-2` })
    },
    async stop({ server, client }) {
      await client.end()
      await server.close()
    },
  })
  await second.close()
  return times
}

export async function pgCtl() {
  const directory = temporaryDirectory()
  const data = join(directory, 'data')
  const run = (program, ...args) => {
    const options = { ...asServer, cwd: '/', env: { LC_ALL: 'C' }, stdio: 'ignore' }
    const { status } = spawnSync(join(bindir, program), ['-D', data, ...args], options)
    if (status !== 0) throw new Error(`${program} ended with status ${status}`)
  }
  return await measure({
    load: async () => (await import('pg')).default,
    async ready(pg) {
      run('initdb', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C')
      run('pg_ctl', 'start', '-w', '-l', join(directory, 'log'), '-o', `-k ${data} -h "" -p 1`)
      return await connect(data, 'postgres', pg)
    },
    servers: () => treeOf(data),
    database: async (client) => await client.query('CREATE DATABASE app'),
    async stop(client) {
      await client.end()
      run('pg_ctl', 'stop', '-w', '-m', 'fast')
    },
  })
}

/** Debian's: its command has PGHOST and the like, and its cluster is gone when that ends. As a child, it says when. */
export async function virtualenv() {
  return await script('pg_virtualenv', (text) => ['-t', 'sh', '-c', text])
}

/** From ephemeralpg: prints a URL; the cluster goes when nobody has used it for a while, which is not measured. */
export async function pgTmp() {
  const start = performance.now()
  const url = execFileSync('pg_tmp', { encoding: 'utf8', ...asServer, cwd: '/' })
  const { default: pg } = await import('pg')
  const client = new pg.Client(url)
  await client.connect()
  await client.query('SELECT 1')
  const ready = performance.now() - start
  const created = performance.now()
  await client.query('CREATE DATABASE app')
  const database = performance.now() - created
  const { rows } = await client.query('SHOW data_directory')
  const memory = pss(treeOf(rows[0].data_directory))
  await client.end()
  return { ready, database, memory }
}

async function script(program, args) {
  const text = `psql -XAtc 'SELECT 1' template1; psql -XAtc 'SHOW data_directory' template1; read _
    psql -XAtc 'CREATE DATABASE app' template1; read _`
  const start = performance.now()
  const child = spawn(program, args(text), { stdio: ['pipe', 'pipe', 'ignore'], cwd: '/tmp' })
  const lines = []
  let wake = () => undefined
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const all = (rest + chunk).split('\n')
    rest = all.pop()
    lines.push(...all)
    wake()
  })
  const line = async (wanted) => {
    for (;;) {
      const index = lines.findIndex((said) => wanted.test(said))
      if (index >= 0) return lines.splice(0, index + 1).at(-1)
      await new Promise((done) => (wake = done))
    }
  }
  await line(/^1$/)
  const ready = performance.now() - start
  const data = await line(/^\//)
  await sleep(200)
  const memory = pss(treeOf(data))
  const created = performance.now()
  child.stdin.write('\n')
  await line(/^CREATE DATABASE$/)
  const database = performance.now() - created
  const ended = once(child, 'exit')
  const stopping = performance.now()
  child.stdin.end('\n')
  await ended
  return { ready, database, stop: performance.now() - stopping, memory }
}
