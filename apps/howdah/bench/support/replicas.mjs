// Restoring and listing LTX files, beside copying a file and reading a directory.
import { mkdtempSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Times } from '../../../../packages/cluster/bench/support/times.mjs'
import { row } from './figures.mjs'

export async function replicas({ place, rounds }) {
  const { copyAndSync, drain, file, files, replicaOfMany, size, writeIncrements } =
    await import('../../../../packages/replica/bench/support/replica-of.mjs')
  const { FileReplica } = await import('@howdah/replica')
  const directory = mkdtempSync(join(place.disk, 'ltx-'))
  const replica = new FileReplica(join(directory, 'replica'))
  await replica.writeLtxFile(0, 1n, 1n, file(1n))
  await writeIncrements(replica)
  const many = await replicaOfMany(join(directory, 'many'))
  const level = dirname(many.ltxFilePath(0, 1n, 1n))
  const [output, copy] = [join(directory, 'app.db'), join(directory, 'copy.db')]
  const times = new Times()
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    await rm(output, { force: true })
    await times.time('restore', () => replica.restore({ output, integrityCheck: 'none' }))
    await rm(copy, { force: true })
    await times.time('copy', () => copyAndSync(output, copy))
    await times.time('list', () => drain(many.ltxFiles(0, BigInt(files / 2))))
    await times.time('readdir', () => readdirSync(level))
  }
  const speed = (name) => size / times.median(name) / 1000
  return [
    row('LTX: restore with 8 increments', {
      before: '106 MB/s, `cp` and sync 1,222',
      now: speed('restore'),
      beside: { '`cp` and sync': speed('copy') },
      goal: 300,
      unit: 'MB/s',
    }),
    row(`LTX: listing ${files.toLocaleString('en')} files`, {
      before: 208,
      now: times.median('list'),
      beside: { readdir: times.median('readdir') },
      goal: 50,
    }),
  ]
}
