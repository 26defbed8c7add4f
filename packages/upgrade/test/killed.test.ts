import { readdirSync } from 'node:fs'
import { Cluster } from '@howdah/cluster'
import { seededRandom, temporaryDirectory } from '@howdah/fixtures'
import { serversBelow } from '@howdah/postgres-fixtures'
import { upgradeCluster } from '@howdah/upgrade'
import { expect, it } from 'vitest'
import { only, packagesOf } from './support/majors.ts'
import { upgradeIn } from './support/upgrade-in.ts'

const [from, to] = [15, 18]
const strategy = only(from, to)
const packages = packagesOf(from, to)
const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
const steps = ['preparing', 'creating', 'loading', 'verifying', 'syncing', 'swapping', 'swapped']

async function make(dataDir: string): Promise<void> {
  const cluster = new Cluster(dataDir, { strategy, runtime: String(from) })
  await using session = await cluster.run()
  const client = await session.connect()
  await client.query(
    'CREATE TABLE t AS SELECT n, md5(n::text) AS m FROM generate_series(1, 3000) AS n',
  )
}

/** The next command: it can use the cluster, and write into it. Gives its major. */
async function use(dataDir: string, rows: number): Promise<number> {
  const cluster = new Cluster(dataDir, { strategy })
  await using session = await cluster.run({ ifExists: true })
  const client = await session.connect()
  const { rows: found } = await client.query(
    'SELECT count(*)::int AS n, count(DISTINCT m)::int AS m FROM t',
  )
  expect(found).toEqual([{ n: rows, m: rows }])
  await client.query('INSERT INTO t VALUES ($1, $2)', [rows + 1, `row ${rows + 1}`])
  return session.runtime.version.major
}

function stepOf(report: string): string {
  return report.split(' ', 1).join('')
}

it.concurrent('killed at any of its steps, it leaves the old or the new cluster whole, and the next upgrade works', async () => {
  using home = temporaryDirectory()
  const dataDir = home.file('data')
  await make(dataDir)
  let rows = 3000
  // A step may have several reports: it is killed at the first one, or at each of them.
  const passed: string[] = []
  for (;;) {
    const { reports, killed } = await upgradeIn(dataDir, to, { packages }, { passed })
    expect(killed).toBe(true)
    const last = reports.at(-1) ?? ''
    passed.push(isLong ? last : stepOf(last))
    const isNew = stepOf(last) === 'swapped'
    // What was written since is not lost by the next upgrade.
    expect(await use(dataDir, rows)).toBe(isNew ? to : from)
    rows += 1
    if (isNew) break
  }
  expect([...new Set(passed.map(stepOf))]).toEqual(steps)
  const cluster = new Cluster(dataDir, { strategy })
  await expect(upgradeCluster(cluster)).resolves.toMatchObject({ outcome: 'unmodified' })
  expect(readdirSync(home.path).toSorted()).toEqual(['data', `data.pg${from}`])
  // The old one has what it had before the swap.
  expect(await use(home.file(`data.pg${from}`), rows - 1)).toBe(from)
  expect(serversBelow(home.path)).toEqual([])
}, 300_000)

it.concurrent('killed at random, it leaves the old or the new cluster whole, and the next upgrade works', async () => {
  using home = temporaryDirectory()
  const random = seededRandom(20)
  const rounds = isLong ? 25 : 2
  let hits = 0
  for (let round = 0; hits < rounds; round += 1) {
    const dataDir = home.file(`data${round}`)
    await make(dataDir)
    let rows = 3000
    for (;;) {
      // Some time after a step, so that it is rarely too late, however fast the machine is.
      const kill = { since: random.pick(steps.slice(0, -1)), after: random.below(300) }
      const { killed, reports } = await upgradeIn(dataDir, to, { packages }, kill)
      hits += killed ? 1 : 0
      const major = await use(dataDir, rows)
      rows += 1
      const isSwapped = reports.includes('swapped ') || !killed
      expect(isSwapped && major !== to).toBe(false)
      if (major === to) break
      if (hits >= rounds) break
    }
    const cluster = new Cluster(dataDir, { strategy })
    await upgradeCluster(cluster, { to: String(to) })
    expect(await use(dataDir, rows)).toBe(to)
    await cluster.destroy({ force: true })
  }
  expect(hits).toBeGreaterThanOrEqual(rounds)
  expect(serversBelow(home.path)).toEqual([])
}, 600_000)
