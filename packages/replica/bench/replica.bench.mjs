// Throughput of writing, verifying and restoring a replica, beside copying a file: `pnpm --filter @howdah/replica bench`.
import { copyFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeLtx } from '@howdah/ltx'
import { FileReplica } from '@howdah/replica'

const pageSize = 4096
const pages = Number(process.env.HOWDAH_BENCH_PAGES ?? 32_768)
const files = Number(process.env.HOWDAH_BENCH_FILES ?? 20_000)
const size = pages * pageSize
const rounds = 3

/** Some pages like those of a database, used again and again, so that making them costs nothing. */
const templates = Array.from({ length: 1024 }, (_, template) => {
  const data = Buffer.alloc(pageSize)
  let state = template
  for (let at = 0; at < pageSize / 4; at += 4) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    data.writeInt32LE(state | 0, at)
  }
  for (let at = pageSize / 4; at < (pageSize * 3) / 4; at += 32) {
    data.write(`row ${template * 100 + at} of a table, `, at, 'latin1')
  }
  return data
})

function* content(count, step) {
  for (let number = step; number <= count; number += step) {
    yield { number, data: templates[number % templates.length] }
  }
}

const file = (txid, step = 1) =>
  encodeLtx(
    { pageSize, commit: pages, minTxid: txid, maxTxid: txid, timestamp: 0n },
    content(pages, step),
  )

async function drain(values) {
  let count = 0
  for await (const value of values) {
    if (value.problem) throw value.problem
    count++
  }
  return count
}

async function measure(name, run, before) {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    await before?.()
    const start = performance.now()
    await run()
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${name.padEnd(44)} ${(size / best / 1000).toFixed(0).padStart(6)} MB/s`)
}

const directory = await mkdtemp(join(tmpdir(), 'howdah-bench-'))
try {
  const replica = new FileReplica(join(directory, 'replica'))
  const output = join(directory, 'app.db')
  const copy = join(directory, 'copy.db')
  const gone = () => rm(output, { force: true })
  console.log(`a database of ${size / 1e6} MB; best of ${rounds}`)
  await measure('encode and write a snapshot', () => replica.writeLtxFile(0, 1n, 1n, file(1n)))
  await measure('verify it', () => drain(replica.verify()))
  await measure('restore it', () => replica.restore({ output, integrityCheck: 'none' }), gone)
  await measure('copy the database, and sync', async () => {
    await copyFile(output, copy)
    const handle = await open(copy, 'r+')
    await handle.sync()
    await handle.close()
  })
  for (let txid = 2n; txid <= 9n; txid++) await replica.writeLtxFile(0, txid, txid, file(txid, 8))
  await measure(
    'restore it and 8 increments of an eighth',
    () => replica.restore({ output, integrityCheck: 'none' }),
    gone,
  )

  const level = new FileReplica(join(directory, 'many'))
  await level.writeLtxFile(
    0,
    1n,
    1n,
    encodeLtx({ pageSize, commit: 0, minTxid: 1n, maxTxid: 1n, timestamp: 0n }, []),
  )
  for (let txid = 2n; txid <= files; txid++) await writeFile(level.ltxFilePath(0, txid, txid), '')
  const start = performance.now()
  const count = await drain(level.ltxFiles(0, BigInt(files / 2)))
  console.log(`list ${count} of ${files} files: ${(performance.now() - start).toFixed(0)} ms`)
  const memory = process.resourceUsage().maxRSS / 1024
  console.log(`most memory in use: ${memory.toFixed(0)} MiB`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
