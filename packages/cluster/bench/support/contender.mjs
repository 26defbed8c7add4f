// One way to a PostgreSQL, in a process of its own. Its arguments are the name of the way and a JSON object: where it may
// write, and which programs there are. Says one JSON object: ms, and bytes.
import { once } from 'node:events'
import { chownSync, copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  asServer,
  connect,
  measure,
  memoryWith,
  request,
  temporaryDirectory,
  timeInto,
} from './measure.mjs'
import { pss, treeOf } from './memory.mjs'
import { embedded, pgCtl, pglite, pgTmp, prismaDev, virtualenv } from './others.mjs'
import { startBare, stopBare } from './servers.mjs'

const [name] = process.argv.slice(2)
const { bindir, owner, template, spare } = request
const isRoot = process.getuid() === 0

const contenders = {
  howdah,
  whole,
  embedded,
  pglite,
  prismaDev,
  pgCtl,
  floor,
  virtualenv,
  pgTmp,
  crowd,
  crowdFloor,
}
const result = await contenders[name]()
process.stdout.write(`${JSON.stringify(result)}\n`)

async function howdah() {
  return await measure({
    async load() {
      const library = await load()
      await import('pg')
      return library
    },
    ready: firstAnswer,
    servers: ({ session }) => treeOf(session.dataDir),
    database: async ({ session }) => await session.createDatabase('app'),
    async reached({ session }) {
      await session.createDatabase('other')
      const client = await session.connect('other')
      await client.query('SELECT 1')
    },
    stop: async ({ session }) => await session.leave(),
  })
}

async function load() {
  const { temporary } = await import('@howdah/cluster')
  const { onPath } = await import('@howdah/runtime')
  return { temporary, onPath }
}

async function firstAnswer({ temporary, onPath }) {
  const session = await temporary({ strategy: onPath([bindir]), spare })
  const client = await session.connect()
  await client.query('SELECT 1')
  return { session, client }
}

/** Loading and the first answer together: howdah loads the driver while the server starts. */
async function whole() {
  const times = {}
  const { session } = await timeInto(times, 'ready', async () => await firstAnswer(await load()))
  await session.leave()
  return times
}

/** What nobody can do without: copy the files of a cluster, start the server, connect. Each is measured alone. */
async function floor() {
  const data = join(temporaryDirectory(), 'data')
  const parts = {}
  const part = async (what, action) => await timeInto(parts, what, action)
  const { default: pg } = await part('load', async () => await import('pg'))
  await part('copy', () => copy(template, data))
  const server = { dataDir: data, bindir, asServer }
  const child = await part('start', async () => await startBare(server, ['-F']))
  const user = userInfo().username
  const client = await part('connect', async () => await connect(data, user, pg))
  await sleep(200)
  parts.memory = memoryWith(treeOf(data))
  await part('database', async () => await client.query('CREATE DATABASE app'))
  const other = await part('reached', async () => {
    await client.query('CREATE DATABASE other')
    return await connect(data, user, pg, 'other')
  })
  await part('stop', async () => {
    await Promise.all([client.end(), other.end()])
    await stopBare(child)
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

/** One of many at once: starts when all are loaded. */
async function crowd() {
  const library = await load()
  await import('pg')
  await told('loaded')
  const { session } = await firstAnswer(library)
  await told('ready')
  const memory = pss(treeOf(session.dataDir))
  await session.leave()
  process.stdin.unref()
  return { memory }
}

/** The same without howdah. */
async function crowdFloor() {
  const data = join(temporaryDirectory(), 'data')
  const { default: pg } = await import('pg')
  await told('loaded')
  copy(template, data)
  const child = await startBare({ dataDir: data, bindir, asServer }, ['-F'])
  const client = await connect(data, userInfo().username, pg)
  await told('ready')
  const memory = pss(treeOf(data))
  await client.end()
  await stopBare(child)
  process.stdin.unref()
  return { memory }
}

/** Says something, and waits for the word to go on. */
async function told(what) {
  process.stdout.write(`${what}\n`)
  await once(process.stdin, 'data')
}
