import { existsSync, readFileSync } from 'node:fs'
import { SmallDisk, onFullDisk, seededRandom, temporaryDirectory } from '@howdah/fixtures'
import { encodeLtx } from '@howdah/ltx'
import { describe, expect, test } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { gather } from './support/files.ts'
import { History } from './support/history.ts'

const whyNot = SmallDisk.whyNot()
const random = seededRandom(12)

/** A snapshot of some pages that do not become shorter by compression, each time another. */
function snapshot() {
  const pages = Array.from({ length: 5 }, (_, index) => ({
    number: index + 1,
    data: Buffer.from(Array.from({ length: 4096 }, () => random.below(256))),
  }))
  return encodeLtx({ pageSize: 4096, commit: 5, minTxid: 1n, maxTxid: 1n, timestamp: 1n }, pages)
}

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  test.each(['replaced', 'made'])(
    'a file of a replica is %s completely or not at all',
    async (how) => {
      using disk = SmallDisk.mount(256)
      const replica = new FileReplica(disk.path)
      const path = replica.ltxFilePath(0, 1n, 1n)
      const [first, second] = [await gather(snapshot()), await gather(snapshot())]
      const refused = await onFullDisk(disk, {
        prepare: async () => {
          if (how === 'replaced') await replica.writeLtxFile(0, 1n, 1n, [first])
        },
        act: async () => await replica.writeLtxFile(0, 1n, 1n, [second]),
        look: () => (existsSync(path) ? readFileSync(path, 'hex') : null),
        old: how === 'replaced' ? first.toString('hex') : null,
        new: second.toString('hex'),
        refusal: { code: 'ERR_REPLICA_NO_SPACE', path },
      })
      expect(refused).toBeGreaterThan(0)
    },
  )

  test.each(['full', 'none'] as const)(
    'a database is restored completely or not at all (integrity check: %s)',
    async (integrityCheck) => {
      using disk = SmallDisk.mount(1024)
      using home = temporaryDirectory()
      const replica = new FileReplica(home.file('replica'))
      using history = new History(home.file('original.db'), random)
      const { commit } = history.next(true)
      const header = { pageSize: 4096, commit, minTxid: 1n, maxTxid: 1n, timestamp: 1n }
      await replica.writeLtxFile(0, 1n, 1n, encodeLtx(header, history.snapshot()))
      const output = disk.file('restored.db')
      const refused = await onFullDisk(disk, {
        prepare: () => undefined,
        act: async () => await replica.restore({ output, integrityCheck }),
        look: () => (existsSync(output) ? readFileSync(output).length : null),
        old: null,
        new: commit * 4096,
        refusal: { code: 'ERR_REPLICA_NO_SPACE', path: output },
      })
      expect(refused).toBeGreaterThan(0)
    },
  )
})
