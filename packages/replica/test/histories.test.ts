import { readFileSync } from 'node:fs'
import { Random, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { list, refusal } from './support/files.ts'
import { ModelHistory, type FileOfHistory } from './support/model-history.ts'

const history = new ModelHistory(new Random(1), 6)
const other = history.fork(2)

type File = Omit<FileOfHistory, 'timestamp'> & {
  readonly of?: ModelHistory
  readonly level?: number
}

/** A replica of files of one history or the other, in files that track checksums unless told otherwise. */
async function replicaOf(root: string, files: readonly File[]): Promise<FileReplica> {
  const replica = new FileReplica(root)
  for (const { of = history, level = 0, min, max, tracked = true } of files) {
    const bytes = await of.file({ min, max, tracked, timestamp: max * 1000 })
    await replica.writeLtxFile(level, BigInt(min), BigInt(max), bytes)
  }
  return replica
}

async function problems(replica: FileReplica): Promise<(string | undefined)[]> {
  const verdicts = await list(replica.verify())
  return verdicts.flatMap(({ problem }) => (problem === null ? [] : [problem.path]))
}

describe('files that track database checksums', () => {
  it('can be restored together if they have one history, also with files that track none', async () => {
    for (const files of [
      [
        { min: 1, max: 1 },
        { min: 2, max: 3 },
        { min: 4, max: 6 },
      ],
      [
        { min: 1, max: 2, tracked: false },
        { min: 3, max: 4 },
        { min: 5, max: 6, tracked: false },
      ],
      // One that overlaps: its pre-apply checksum is that of a state which the chain passed, or not.
      [
        { min: 1, max: 3 },
        { min: 2, max: 6 },
      ],
      [
        { min: 1, max: 2 },
        { min: 3, max: 4 },
        { min: 3, max: 6, level: 1 },
      ],
    ]) {
      using directory = temporaryDirectory()
      const replica = await replicaOf(directory.file('replica'), files)
      const output = directory.file('restored.db')
      await replica.restore({ output, integrityCheck: 'none' })
      expect(readFileSync(output).equals(history.database(6))).toBe(true)
      expect(await problems(replica)).toEqual([])
    }
  })

  it.for([
    {
      what: 'the pre-apply checksum of the next file',
      files: [
        { min: 1, max: 3 },
        { min: 4, max: 6, of: other },
      ],
      bad: [0, 4, 6],
    },
    {
      what: 'the pre-apply checksum, after a file that tracks none',
      files: [
        { min: 1, max: 3, tracked: false },
        { min: 4, max: 6, of: other },
      ],
      bad: [0, 4, 6],
    },
    {
      what: 'the post-apply checksum, with a file in between that tracks none',
      files: [
        { min: 1, max: 2 },
        { min: 3, max: 3, of: other, tracked: false },
        { min: 3, max: 6, level: 1 },
        { min: 4, max: 4 },
      ],
      // Only the chain to 4 goes through the other one.
      bad: [0, 4, 4],
      target: { txid: 4n },
    },
    {
      what: 'the post-apply checksum of one that overlaps',
      files: [
        { min: 1, max: 5 },
        { min: 5, max: 6, of: other },
      ],
      bad: [0, 5, 6],
    },
  ])('of two histories are refused by $what', async ({ files, bad, target = {} }) => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.file('replica'), files)
    const [level = 0, min = 0, max = 0] = bad
    const path = replica.ltxFilePath(level, BigInt(min), BigInt(max))
    const output = directory.file('restored.db')
    const restoring = replica.restore({ output, integrityCheck: 'none', ...target })
    await expect(restoring).rejects.toMatchObject({
      code: 'ERR_REPLICA_MISMATCH',
      path,
      message: expect.stringMatching(
        /belongs to another history than the files before it/,
      ) as string,
    })
    expect(await problems(replica)).toEqual([path])
  })

  it('with another history give an error that names the state before them', async () => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.file('replica'), [
      { min: 1, max: 3 },
      { min: 4, max: 6, of: other },
    ])
    const output = directory.file('restored.db')
    await expect(replica.restore({ output, integrityCheck: 'none' })).rejects.toThrow(
      /the last state without it is after transaction 0000000000000003; restore that one$/,
    )
    await replica.restore({ output, txid: 3n, integrityCheck: 'none' })
    expect(readFileSync(output).equals(history.database(3))).toBe(true)
  })
})

describe('files that track no checksums', () => {
  it('of two histories cannot be distinguished: only their page sizes are compared', async () => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.file('replica'), [
      { min: 1, max: 3, tracked: false },
      { min: 4, max: 6, of: other, tracked: false },
    ])
    const output = directory.file('restored.db')
    await replica.restore({ output, integrityCheck: 'none' })
    const bigger = new ModelHistory(new Random(2), 6, 1024)
    const bytes = await bigger.file({ min: 4, max: 6, timestamp: 0 })
    await replica.writeLtxFile(0, 4n, 6n, bytes)
    const again = replica.restore({ output: `${output}2`, integrityCheck: 'none' })
    expect(await refusal(again)).toBe('ERR_REPLICA_MISMATCH')
  })
})
