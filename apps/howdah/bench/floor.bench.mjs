// How far howdah is above what has to be done anyway: one table with what was measured before this work, what is measured now, what is
// measured beside it in the same run (the least that has to be done, with bare system calls and a bare `postgres`, or a peer), and what
// is aimed at. Ways take turns, so that what disturbs the machine disturbs them alike; medians.
//
// Its first argument, or HOWDAH_BENCH_ROUNDS, sets how many rounds there are. Further arguments choose what is measured, by words of the
// titles below. HOWDAH_BENCH_CLUSTERS sets how many clusters at once there are at most, and HOWDAH_BENCH_DIR on which disk they are.
import { availableParallelism, cpus, release } from 'node:os'
import { existingCluster } from './support/existing-cluster.mjs'
import { commands } from './support/commands.mjs'
import { printTable } from './support/figures.mjs'
import { makePlace, makeTemplate } from './support/place.mjs'
import { replicas } from './support/replicas.mjs'
import { size } from './support/size.mjs'
import { registry, store } from './support/small-packages.mjs'
import { crowds, oneAtATime } from './support/temporary-clusters.mjs'

const [given, ...chosen] = process.argv.slice(2)
const rounds = Number(given ?? process.env.HOWDAH_BENCH_ROUNDS ?? 5)
const concerns = [
  { title: 'new clusters', measure: oneAtATime, needsServer: true },
  { title: 'an existing cluster', measure: existingCluster, needsServer: true },
  { title: 'many clusters at once', measure: crowds, needsServer: true },
  { title: 'commands', measure: commands, needsServer: true },
  { title: 'the store', measure: store },
  { title: 'the registry', measure: registry },
  { title: 'LTX files', measure: replicas },
  { title: 'the size of the command', measure: size },
]

const place = makePlace()
try {
  const postgres = await makeTemplate(place).catch(messageOf)
  const hasServer = typeof postgres !== 'string'
  const missing = hasServer ? [] : [`PostgreSQL does not run here: ${postgres}`]
  const rows = []
  for (const { title, measure, needsServer = false } of concerns) {
    if (needsServer && !hasServer) continue
    if (chosen.length > 0 && !chosen.some((word) => title.includes(word))) continue
    try {
      rows.push(...(await measure({ place, postgres, rounds })))
    } catch (error) {
      missing.push(`Not measured here: ${title}: ${messageOf(error)}`)
    }
  }
  const about = [
    new Date().toISOString().slice(0, 10),
    ...(hasServer ? [`PostgreSQL ${postgres.version.toString()}`] : []),
    `${rounds} rounds`,
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'})`,
    `${process.platform} ${release()}`,
    `Node ${process.version}`,
    `a file on the disk is made in ${Math.round(place.fileTime * 1000)} µs`,
    ...(place.memory === null ? ['/dev/shm is not here, so nothing is in memory'] : []),
  ]
  console.log(`${about.join(', ')}\n`)
  printTable(rows)
  for (const line of missing) console.log(`\n${line}`)
} finally {
  place.remove()
}

function messageOf({ message }) {
  return String(message).split('\n')[0]
}
