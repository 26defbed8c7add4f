// How far howdah is above what has to be done anyway: one table with what was measured before, what is measured now, the least
// that has to be done (with bare system calls, and a bare `postgres`), and what is aimed at. Ways take turns, so that what disturbs
// the machine disturbs them alike; medians. "At this speed" is what was measured before, on a machine as slow as this one is now,
// judged by how long Node takes to start. HOWDAH_BENCH_ROUNDS sets how many rounds there are.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from '@howdah/cluster'
import { bundled } from '@howdah/runtime'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 5)
const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
const contender = fileURLToPath(
  new URL('../../../packages/cluster/bench/support/contender.mjs', import.meta.url),
)
/** How long Node took to start when the figures of before were measured, in ms: of processors, which was nearly all. */
const nodeBefore = 69
const disk = directoryIn(tmpdir())
const fast = existsSync('/dev/shm') ? directoryIn('/dev/shm') : disk
process.env.HOWDAH_STATE_DIR = inside(disk, 'state', 0o700)
process.env.HOWDAH_CACHE_DIR = inside(disk, 'cache')

const strategy = bundled({ from: import.meta.url })
const times = new Map()
try {
  const made = new Cluster(join(disk, 'made'), { strategy })
  await made.create()
  const { bindir } = await made.runtime()
  const { uid, gid } = statSync(made.dataDir)
  const request = { bindir, owner: { uid, gid }, template: made.dataDir }
  const spares = inside(fast, 'spares')
  const project = inside(disk, 'project')
  process.env.PATH = `${bindir}:${process.env.PATH}`
  const ways = [
    () => time('node', () => run(['-e', '0'])),
    () => contend('', 'howdah', { ...request, home: fast }),
    () => contend('spare ', 'howdah', { ...request, home: spares, spare: 20_000 }),
    () => contend('disk ', 'howdah', { ...request, home: disk }),
    () => contend('floor ', 'floor', { ...request, home: fast }),
    () => first({ ...request, home: fast }),
    () => command('running', ['exec', '--', 'true'], project),
    () => command('status', ['status'], project),
    () => stopped(project),
    () => command('new', ['exec', '-D', 'new', '--destroy', '--', 'true'], project),
  ]
  run([bin, 'start'], project)
  for (const way of ways) way()
  times.clear()
  for (let round = 0; round < rounds; round += 1) for (const way of ways) way()
  run([bin, 'destroy', '--force'], project)
  report()
  await endSpares(spares)
} finally {
  for (const directory of new Set([disk, fast])) rmSync(directory, { recursive: true, force: true })
}

/** One way to a PostgreSQL, in a process of its own. */
function contend(prefix, name, request) {
  const env = { ...process.env, HOWDAH_TEMPORARY_DIR: request.home }
  const said = run([contender, name, JSON.stringify(request)], undefined, env)
  for (const [what, value] of Object.entries(JSON.parse(said))) note(`${prefix}${what}`, value)
}

/** As on a machine that has never seen howdah. */
function first(request) {
  const cache = inside(disk, `cache-${Math.random()}`)
  const before = process.env.HOWDAH_CACHE_DIR
  process.env.HOWDAH_CACHE_DIR = cache
  try {
    contend('first ', 'howdah', request)
  } finally {
    if (before === undefined) delete process.env.HOWDAH_CACHE_DIR
    else process.env.HOWDAH_CACHE_DIR = before
  }
}

function command(name, args, cwd) {
  time(name, () => run([bin, ...args], cwd))
}

function stopped(project) {
  run([bin, 'stop'], project)
  command('stopped', ['exec', '--', 'true'], project)
  run([bin, 'start'], project)
}

function run(args, cwd = disk, env = process.env) {
  const options = { cwd, env, encoding: 'utf8' }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

function report() {
  const node = median('node')
  const floor = ['floor copy', 'floor start', 'floor connect'].map(median)
  const sum = floor.reduce((one, other) => one + other, 0)
  const above = (name) => median(name) - node
  const rows = [
    ['temporary() to SELECT 1', 114, median('ready'), sum, 64],
    ['its loading', 66, median('load'), null, 25],
    ['the same with a spare', 75, median('spare ready'), floor[2], 20],
    ['the same, first ever', 938, median('first ready'), null, 250],
    ['the same, on disk', 611, median('disk ready'), sum, 150],
    ['further database', 30, median('database'), null, 13],
    ['exec, running, above Node', 61, above('running'), null, 30],
    ['exec, stopped, above Node', 145, above('stopped'), floor[1], 70],
    ['exec, new, --destroy, above Node', 366, above('new'), sum, 120],
    ['status, running, above Node', 119, above('status'), null, 40],
  ].map(([what, before, now, least, goal]) => {
    const then = before * (node / nodeBefore)
    return [what, ms(before), ms(then), ms(now), ms(least), ms(goal)]
  })
  console.log(
    `PostgreSQL 18, ${rounds} rounds, Node ${process.version}, which starts in ${ms(node)}\n`,
  )
  table(['ms', 'before', 'at this speed', 'now', 'floor', 'goal'], rows)
  const [bytes, packages] = size()
  console.log(
    `\n\`npm install howdah\` without PostgreSQL: ${(bytes / 1e6).toFixed(1)} MB in ${packages} packages; before 9.3 MB in 43`,
  )
}

/** The bytes and the number of the packages that come with the command. */
function size() {
  const own = fileURLToPath(new URL('..', import.meta.url))
  const directories = new Set([own])
  const add = (from, name) => {
    const places = createRequire(join(from, 'package.json')).resolve.paths(name)
    const place = places.find((one) => existsSync(join(one, name)))
    // It may be for another platform.
    if (place === undefined) return
    const directory = realpathSync(join(place, name))
    if (directories.has(directory)) return
    directories.add(directory)
    for (const needed of namesIn(directory)) add(directory, needed)
  }
  for (const name of namesIn(own)) if (name !== '@howdah/postgres') add(own, name)
  const sizes = [...directories].flatMap((directory) => packed(directory).map(sizeOf))
  return [sizes.reduce((one, other) => one + other, 0), directories.size]
}

/** The paths in a package that are published: everything, or in a checkout what its manifest names. */
function packed(directory) {
  if (directory.includes('/node_modules/')) return [directory]
  const { files } = manifestOf(directory)
  return files.map((name) => join(directory, name)).filter((path) => existsSync(path))
}

function sizeOf(path) {
  if (statSync(path).isFile()) return statSync(path).size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

function namesIn(directory) {
  const { dependencies = {}, optionalDependencies = {} } = manifestOf(directory)
  return Object.keys({ ...dependencies, ...optionalDependencies })
}

function manifestOf(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}

async function endSpares(home) {
  for (const place of readdirSync(home)) {
    for (const name of readdirSync(join(home, place)))
      if (!name.startsWith('.'))
        await new Cluster(join(home, place, name), { strategy }).destroy({ force: true })
  }
}

function time(name, action) {
  const start = performance.now()
  action()
  note(name, performance.now() - start)
}

function note(name, value) {
  times.set(name, [...(times.get(name) ?? []), value])
}

function median(name) {
  const values = (times.get(name) ?? []).toSorted((one, other) => one - other)
  return values[values.length >> 1] ?? Number.NaN
}

function ms(value) {
  return value === null || Number.isNaN(value) ? '' : value.toFixed(0)
}

function table(head, rows) {
  for (const cells of [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows])
    console.log(`| ${cells.join(' | ')} |`)
}

function directoryIn(above) {
  const directory = mkdtempSync(join(above, 'howdah-floor-'))
  chmodSync(directory, 0o755)
  return directory
}

function inside(directory, name, mode = 0o755) {
  mkdirSync(join(directory, name), { mode })
  return join(directory, name)
}
