// How long it takes to fork a cluster of 50 MB, and one of 1 GB (10 GB with HOWDAH_BENCH_LARGE=1), while it runs, and how much
// room the fork takes. In the directories that are named, so that file systems that can clone files are measured, too:
//   node packages/backup/bench/fork.bench.mjs /tmp /mnt/xfs
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { forkCluster } from '@howdah/backup'
import { Cluster } from '@howdah/cluster'

const rounds = 5
const places = process.argv.slice(2)
const sizes = [50, process.env['HOWDAH_BENCH_LARGE'] === '1' ? 10_240 : 1024]

for (const place of places.length === 0 ? ['/tmp'] : places) {
  const directory = mkdtempSync(join(place, 'howdah-fork-'))
  try {
    for (const size of sizes) await measure(directory, size)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(directory, size) {
  const original = new Cluster(join(directory, `original-${size}`))
  const session = await original.run()
  try {
    const client = await session.connect()
    await client.query(
      `CREATE TABLE filler AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, ${Math.max(0, size - 30) * 1000}) AS n`,
    )
    await client.query('CHECKPOINT')
    const times = []
    const room = []
    for (let round = 0; round < rounds; round += 1) {
      const to = join(directory, `fork-${size}-${round}`)
      execFileSync('sync', ['-f', directory])
      const free = freeIn(directory)
      const began = performance.now()
      await forkCluster(original, { to })
      times.push(performance.now() - began)
      execFileSync('sync', ['-f', directory])
      room.push(free - freeIn(directory))
      await new Cluster(to).destroy()
    }
    const type = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim()
    const [least, median, most] = [0, rounds >> 1, rounds - 1].map((at) =>
      times.toSorted((a, b) => a - b)[at].toFixed(0),
    )
    const extra = (Math.min(...room) / 2 ** 20).toFixed(1)
    console.log(`${type} ${size} MB: ${median} ms (${least} to ${most}), ${extra} MB of room`)
  } finally {
    await session.leave()
    await original.destroy()
  }
}

function freeIn(directory) {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}
