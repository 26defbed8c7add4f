// How long it takes to fork a cluster of 50 MB, and one of 1 GB (10 GB with HOWDAH_BENCH_LARGE=1), while it runs, how much
// room the fork takes on disk, and how much memory its server takes, as PSS (Linux). HOWDAH_BENCH_SIZES names other sizes in
// MB. In the directories that are named, so that file systems that can clone files are measured, too:
//   node packages/backup/bench/fork.bench.mjs /tmp /mnt/xfs
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { forkCluster } from '@howdah/backup'
import { Cluster } from '@howdah/cluster'

const rounds = 5
const places = process.argv.slice(2)
const sizes = (
  process.env['HOWDAH_BENCH_SIZES'] ??
  (process.env['HOWDAH_BENCH_LARGE'] === '1' ? '50,10240' : '50,1024')
).split(',')

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
    let memory = null
    for (let round = 0; round < rounds; round += 1) {
      const to = join(directory, `fork-${size}-${round}`)
      execFileSync('sync', ['-f', directory])
      const free = freeIn(directory)
      const began = performance.now()
      await forkCluster(original, { to })
      times.push(performance.now() - began)
      execFileSync('sync', ['-f', directory])
      room.push(free - freeIn(directory))
      if (round === 0) memory = await memoryOf(new Cluster(to))
      await new Cluster(to).destroy()
    }
    const type = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim()
    const [least, median, most] = [0, rounds >> 1, rounds - 1].map((at) =>
      times.toSorted((a, b) => a - b)[at].toFixed(0),
    )
    const extra = (Math.min(...room) / 2 ** 20).toFixed(1)
    console.log(
      `${type} ${size} MB: ${median} ms (${least} to ${most}), ${extra} MB of room, ${memory} MB of memory`,
    )
  } finally {
    await session.leave()
    await original.destroy()
  }
}

/** In MB: of the server and all its processes, after a query. */
async function memoryOf(cluster) {
  const session = await cluster.run()
  try {
    const client = await session.connect()
    await client.query('SELECT count(*) FROM pg_class')
    await client.end()
    const { pid } = await cluster.status()
    const kilobytes = [pid, ...childrenOf(pid)].map((one) => {
      const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8')
      return Number(/^Pss:\s*(\d+) kB/m.exec(text)[1])
    })
    return (kilobytes.reduce((sum, each) => sum + each) / 1024).toFixed(1)
  } finally {
    await session.leave()
  }
}

function childrenOf(parent) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))[1]) === parent
      } catch {
        return false
      }
    })
}

function freeIn(directory) {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}
