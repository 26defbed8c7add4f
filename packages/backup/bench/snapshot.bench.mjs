// How long it takes to save and to restore a snapshot of a database, and to make a branch of its cluster while the server
// runs, in ms, for databases of some sizes in MB, safe and fast. In the directories that are named, so that file systems
// that can clone files are measured, too:
//   node packages/backup/bench/snapshot.bench.mjs /tmp /mnt/xfs
// HOWDAH_BENCH_SIZES names other sizes, where 8 is an empty database.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Branches } from '@howdah/backup'
import { Cluster } from '@howdah/cluster'

const rounds = 7
const places = process.argv.slice(2)
const sizes = (process.env['HOWDAH_BENCH_SIZES'] ?? '8,50,500').split(',').map(Number)

for (const place of places.length === 0 ? ['/tmp'] : places) {
  const directory = mkdtempSync(join(place, 'howdah-snapshot-'))
  const type = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim()
  try {
    for (const mode of ['safe', 'fast']) {
      for (const size of sizes)
        console.log(`${type}, ${mode}, ${size} MB: ${await measure(directory, mode, size)}`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(directory, mode, size) {
  const cluster = new Cluster(join(directory, 'data'))
  const session = await cluster.run({ mode, database: 'app' })
  try {
    await fill(session, size)
    const saving = await times(async () => await session.snapshots.save('it', { replace: true }))
    const restoring = await times(
      async () => await session.snapshots.restore('it', { save: false }),
    )
    await session.snapshots.drop('it')
    const branches = new Branches(cluster)
    const branching = await times(
      async () => await branches.create('it'),
      async () => await branches.drop('it', { save: false }),
    )
    return `save ${saving}, restore ${restoring}, branch ${branching}`
  } finally {
    await session.leave()
    await cluster.destroy()
  }
}

async function fill(session, size) {
  const client = await session.connect()
  const rows = Math.max(0, size - 8) * 1000
  await client.query(
    `CREATE TABLE filler AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, ${rows}) AS n`,
  )
  await client.query('CHECKPOINT')
  await client.end()
}

/** The median, with the least and the most. */
async function times(action, after = async () => undefined) {
  const all = []
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    await action()
    all.push(performance.now() - began)
    await after()
  }
  const sorted = all.toSorted((a, b) => a - b).map((time) => time.toFixed(0))
  return `${sorted[rounds >> 1]} (${sorted[0]} to ${sorted[rounds - 1]})`
}
