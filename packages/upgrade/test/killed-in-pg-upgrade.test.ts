import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { Cluster } from '@howdah/cluster'
import { seededRandom, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { postmastersOf, processesBelow, serversBelow } from '@howdah/postgres-fixtures'
import type { Strategy } from '@howdah/runtime'
import { upgradeCluster } from '@howdah/upgrade'
import { describe, expect, it } from 'vitest'
import { upgradeIn } from './support/upgrade-in.ts'
import { twoWhole } from './support/whole.ts'

/** The next command: it can use the cluster, and write into it. Gives its major. */
async function use(dataDir: string, strategy: Strategy, rows: number): Promise<number> {
  await using session = await new Cluster(dataDir, { strategy }).run({ ifExists: true })
  const client = await session.connect()
  const { rows: found } = await client.query('SELECT count(*)::int AS n FROM t')
  expect(found).toEqual([{ n: rows }])
  await client.query('INSERT INTO t VALUES ($1)', [rows + 1])
  return session.runtime.version.major
}

/** The processes that work for an upgrade, without servers: shells, which may watch others, come first. */
function workersOf(dataDir: string): { pid: number; name: string }[] {
  return processesBelow(dataDir)
    .map((pid) => ({ pid, name: nameOf(pid) }))
    .filter(({ name }) => !/^(?:postgres)?$/.test(name))
    .toSorted((one, other) => Number(other.name === 'sh') - Number(one.name === 'sh'))
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

type Old = Awaited<ReturnType<typeof filledIn>>

/** A cluster of the older PostgreSQL with a table of rows, both in a directory. */
async function filledIn(home: TemporaryDirectory) {
  const two = await twoWhole.in(home.file('old'))
  const dataDir = home.file('data')
  const { strategy, bindirs } = two
  await using session = await new Cluster(dataDir, { strategy, runtime: bindirs[0] }).run()
  const client = await session.connect()
  const rows = 1000
  await client.query(`CREATE TABLE t AS SELECT n FROM generate_series(1, ${rows}) AS n`)
  return { ...two, dataDir, rows }
}

/** An upgrade that nothing disturbs has all rows, and leaves nothing but the old cluster. */
async function becomesNew(home: TemporaryDirectory, { dataDir, strategy, rows, from, to }: Old) {
  const upgraded = await upgradeCluster(new Cluster(dataDir, { strategy }))
  expect(upgraded).toMatchObject({ outcome: 'modified', method: 'pg_upgrade' })
  expect(await use(dataDir, strategy, rows)).toBe(to)
  expect(readdirSync(home.path).toSorted()).toEqual(['data', `data.pg${from}`, 'old'])
}

const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
const timeout = isLong ? 1_200_000 : 300_000

describe.skipIf(twoWhole.skip)('an upgrade by pg_upgrade', () => {
  it(
    'leaves the old cluster whole if it or its pg_upgrade is killed, and the next one works',
    async () => {
      using home = temporaryDirectory()
      const old = await filledIn(home)
      const killed = await killedMeanwhile(old)
      const rows = await killedInIt(home, { ...old, rows: killed })
      await becomesNew(home, { ...old, rows })
      expect(serversBelow(home.path)).toEqual([])
    },
    timeout,
  )
})

/** Kills the upgrade while pg_upgrade works. Gives the number of rows. */
async function killedMeanwhile({ from, to, bindirs, strategy, dataDir, ...old }: Old) {
  let { rows } = old
  const random = seededRandom(15)
  const wanted = isLong ? 20 : 1
  for (let hits = 0, length = isLong ? 4000 : 1000; hits < wanted;) {
    const kill = { since: 'loading', after: random.below(length) }
    const { killed, reports, took } = await upgradeIn(dataDir, to, { bindirs }, kill)
    const isAt = (step: string) => reports.some((report) => report.startsWith(step))
    if (!killed) length = Math.min(length, took)
    const isInTime = !isAt('verifying')
    if (isInTime) hits += 1
    const major = await use(dataDir, strategy, rows)
    rows += 1
    expect(isInTime ? major : from).toBe(from)
    expect(isAt('swapped') ? major : to).toBe(to)
    if (major === from) continue
    // The old one has what it had before the swap, and is taken for the next round.
    const cluster = new Cluster(dataDir, { strategy })
    await upgradeCluster(cluster)
    await cluster.destroy({ force: true })
    renameSync(`${dataDir}.pg${from}`, dataDir)
    rows -= 1
  }
  return rows
}

/** Kills pg_upgrade, alone or with others, when it has a server on the old or the new cluster. Gives the number of rows. */
async function killedInIt(home: TemporaryDirectory, { from, to, bindirs, strategy, ...old }: Old) {
  const { dataDir } = old
  let { rows } = old
  const itself = () =>
    workersOf(dataDir).flatMap(({ pid, name }) => (name === 'pg_upgrade' ? [pid] : []))
  const all = () => workersOf(dataDir).map(({ pid }) => pid)
  const choices = [itself, (upgrade: number) => [...itself(), upgrade], all]
  const places = [dataDir, `${dataDir}.upgrade`]
  // Each choice at one of the two places, by turns, or at both.
  const first = seededRandom(16).below(2)
  const ways = choices.flatMap((victims, turn) =>
    places
      .filter((_, at) => isLong || at === (first + turn) % 2)
      .map((place) => ({ victims, place })),
  )
  for (const { victims, place } of ways) {
    const once = () => postmastersOf([place]).length > 0
    const kill = { since: 'loading', once, victims }
    const { reports } = await upgradeIn(dataDir, to, { bindirs }, kill)
    expect(reports.at(-1)).toMatch(/^loading/)
    expect(await use(dataDir, strategy, rows)).toBe(from)
    rows += 1
    // Unless all are killed, one is left that stops its server.
    expect(victims === all ? [] : serversBelow(home.path)).toEqual([])
  }
  return rows
}
