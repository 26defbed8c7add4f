// From nothing to the first answer: new clusters in memory, on disk, with a spare, first on the machine, and many at once.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { manyAtOnce, runContender } from '../../../../packages/cluster/bench/support/crowd.mjs'
import { Times } from '../../../../packages/cluster/bench/support/times.mjs'
import { row } from './figures.mjs'
import { inside, roundIn } from './place.mjs'

/** The rows of one new cluster at a time, and of a further database in it. */
export async function oneAtATime({ place, postgres, rounds }) {
  const { disk, fast, memory } = place
  const { bindir, owner, template, strategy } = postgres
  const times = new Times()
  const spares = inside(fast, 'spares')
  const contend = async (prefix, name, home, more = {}) => {
    const { env, ...asked } = more
    const request = { bindir, owner, template, home, ...asked }
    const given = { HOWDAH_TEMPORARY_DIR: home, ...env }
    const found = await runContender({ name, request, env: given })
    for (const [what, value] of Object.entries(found)) times.note(`${prefix} ${what}`, value)
  }
  const newCache = () => ({ HOWDAH_CACHE_DIR: inside(disk, `cache-${Math.random()}`) })
  const ways = [
    async () => await contend('howdah', 'howdah', fast),
    async () => await contend('whole', 'whole', fast),
    async () => await contend('bare', 'floor', fast),
    async () => await contend('spare', 'howdah', spares, { spare: 20_000 }),
    async () => await contend('first', 'howdah', fast, { env: newCache() }),
    async () => await contend('initdb', 'pgCtl', fast),
    async () => await contend('disk', 'howdah', roundIn(disk)),
    async () => await contend('bare disk', 'floor', roundIn(disk)),
  ]
  for (const way of ways) await way()
  times.clear()
  for (let round = 0; round < rounds; round += 1) for (const way of ways) await way()
  await endSpares(spares, strategy)
  const bare = (what) => times.median(`bare ${what}`)
  const parts = `copy ${bare('copy').toFixed(0)} + start ${bare('start').toFixed(0)} + connect ${bare('connect').toFixed(0)} =`
  const where = memory === null ? ', on disk' : ''
  return [
    row(`\`temporary()\` to the answer of \`SELECT 1\`, warm cache${where}`, {
      before: 114,
      now: times.median('howdah ready'),
      beside: { [`bare ${parts}`]: bare('ready') },
      goal: 64,
    }),
    row('loading the libraries for it', {
      before: 66,
      now: times.median('howdah load'),
      beside: { 'node-postgres alone': bare('load') },
      goal: 25,
    }),
    row('both together, as a program has them', {
      before: 180,
      now: times.median('whole ready'),
      beside: { bare: bare('load') + bare('ready') },
      goal: 89,
    }),
    row('`temporary()` with a spare', {
      before: '75 to 103 ms',
      now: times.median('spare ready'),
      beside: { 'bare connect': bare('connect') },
      goal: 20,
    }),
    row('the same, first ever on a machine', {
      before: '938 to 1,186 ms',
      now: times.median('first ready'),
      beside: { 'initdb and pg_ctl': times.median('initdb ready') },
      goal: 250,
    }),
    row('the same, on disk', {
      before: '611 to 729 ms',
      now: times.median('disk ready'),
      beside: { 'bare, on this disk': times.median('bare disk ready') },
      goal: 150,
    }),
    row('further database, to `CREATE`', {
      before: '30 to 36 ms',
      now: times.median('howdah database'),
      beside: { 'bare `CREATE DATABASE` of a client': bare('database') },
      goal: 13,
    }),
    row('further database, with a connection to it', {
      now: times.median('howdah reached'),
      beside: { bare: bare('reached') },
      goal: 17,
    }),
  ]
}

/** The rows of many new clusters at once. */
export async function crowds({ place, postgres, rounds }) {
  const { bindir, owner, template } = postgres
  const home = place.fast
  const most = Number(process.env.HOWDAH_BENCH_CLUSTERS ?? 64)
  const rows = []
  for (const [count, before, goal] of [
    [32, 71, 50],
    [64, undefined, 'no cliff'],
  ].filter(([number]) => number <= most)) {
    const each = async (name) => {
      const request = { bindir, owner, template, home }
      const way = { name, request, env: { HOWDAH_TEMPORARY_DIR: home } }
      const { ms } = await manyAtOnce(way, count, Math.min(rounds, 3))
      return ms / count
    }
    const [now, bare] = [await each('crowd'), await each('crowdFloor')]
    rows.push(row(`${count} clusters at once, for each`, { before, now, beside: { bare }, goal }))
  }
  return rows
}

async function endSpares(home, strategy) {
  for (const place of readdirSync(home)) {
    for (const name of readdirSync(join(home, place)))
      if (!name.startsWith('.'))
        await new Cluster(join(home, place, name), { strategy }).destroy({ force: true })
  }
}
