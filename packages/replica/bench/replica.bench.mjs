// Throughput of writing, verifying and restoring a replica, beside copying a file: `pnpm --filter @howdah/replica bench`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileReplica } from '@howdah/replica'
import {
  copyAndSync,
  drain,
  file,
  files,
  replicaOfMany,
  size,
  writeIncrements,
} from './support/replica-of.mjs'

const rounds = 3

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
  await measure('copy the database, and sync', () => copyAndSync(output, copy))
  await writeIncrements(replica)
  await measure(
    'restore it and 8 increments of an eighth',
    () => replica.restore({ output, integrityCheck: 'none' }),
    gone,
  )

  const level = await replicaOfMany(join(directory, 'many'))
  const start = performance.now()
  const count = await drain(level.ltxFiles(0, BigInt(files / 2)))
  console.log(`list ${count} of ${files} files: ${(performance.now() - start).toFixed(0)} ms`)
  const memory = process.resourceUsage().maxRSS / 1024
  console.log(`most memory in use: ${memory.toFixed(0)} MiB`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
