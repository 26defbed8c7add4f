import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { FileReplica, type ReplicaError, type RestoreOptions } from '../src/index.ts'
import { below, gather, list, ltx, refusal } from './support/files.ts'
import {
  emptyDatabase,
  segmentName,
  snapshotName,
  walOf,
  writeOldFile,
} from './support/old-files.ts'

const nameOf = (min: number, max: number): string =>
  `${min.toString(16).padStart(16, '0')}-${max.toString(16).padStart(16, '0')}.ltx`

/** Puts an LTX file into a directory of a replica. */
async function put(root: string, directory: string, min: number, max = min): Promise<string> {
  const path = join(root, directory, nameOf(min, max))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await ltx(BigInt(min), BigInt(max), { byte: max }))
  return path
}

async function restoredTxid(replica: FileReplica, options: Partial<RestoreOptions> = {}) {
  using directory = temporaryDirectory()
  const output = directory.file('a.db')
  const { from } = await replica.restore({ output, integrityCheck: 'none', ...options })
  return from.format === 'ltx' ? Number(from.txid) : from.format
}

describe('a replica that was copied from an object store', () => {
  it.for([
    { what: 'below ltx/', snapshots: 'ltx/0009', files: 'ltx/0000' },
    { what: 'at the top', snapshots: '0009', files: '0000' },
    { what: 'into one that is there', snapshots: 'ltx/9', files: '0000' },
    { what: 'without the ltx/ around', snapshots: '9', files: '0' },
    { what: 'in level names of both kinds', snapshots: 'ltx/0009', files: 'ltx/0' },
  ])('is read as litestream has it in S3, $what', async ({ snapshots, files }) => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const paths = [await put(replica.path, files, 3), await put(replica.path, snapshots, 1, 2)]
    expect(await replica.ltxLevels()).toEqual([0, 9])
    expect((await list(replica.ltxFiles(9))).map(({ maxTxid }) => maxTxid)).toEqual([2n])
    expect((await list(replica.entries())).map(({ path }) => path)).toEqual(paths)
    expect((await list(replica.verify())).map(({ problem }) => problem)).toEqual([null, null])
    expect((await replica.plan()).files.map(({ path }) => path)).toEqual(paths.toReversed())
    expect(await restoredTxid(replica)).toBe(3)
    const bytes = await gather(await replica.openLtxFile(0, 3n, 3n))
    expect(bytes.equals(readFileSync(paths[0] ?? ''))).toBe(true)
    await replica.deleteLtxFiles([{ level: 0, minTxid: 3n, maxTxid: 3n }])
    expect(await restoredTxid(replica)).toBe(2)
    await replica.deleteAll()
    expect(below(directory.path).filter((path) => path.endsWith('.ltx'))).toEqual([])
  })

  it('has levels beyond nine in hex digits', async () => {
    using directory = temporaryDirectory()
    await put(directory.path, '000a', 1)
    await put(directory.path, 'ltx/11', 1)
    await put(directory.path, 'ltx/0010', 1)
    expect(await new FileReplica(directory.path).ltxLevels()).toEqual([10, 11, 16])
  })

  it('counts a file once that is there twice', async () => {
    using directory = temporaryDirectory()
    const own = await put(directory.path, 'ltx/0', 1)
    await put(directory.path, '0000', 1)
    const entries = await list(new FileReplica(directory.path).entries())
    expect(entries.map(({ path }) => path)).toEqual([own])
  })
})

describe('LTX files outside of known levels', () => {
  it.for(['ltx/00', 'ltx/level1', 'ltx/00000', 'ltx/000A', '00', '001', 'a', '000A', 'ltx', '.'])(
    'are refused, because they may be the newer ones: in %s',
    async (where) => {
      using directory = temporaryDirectory()
      const replica = new FileReplica(directory.path)
      await put(replica.path, 'ltx/0', 1)
      const stray = await put(replica.path, where, 2)
      const named = where === 'ltx' || where === '.' ? stray : dirname(stray)
      const output = directory.file('a.db')
      await expect(replica.restore({ output, integrityCheck: 'none' })).rejects.toMatchObject({
        code: 'ERR_REPLICA_LAYOUT',
        path: named,
        message: expect.stringContaining(`${replica.path}/ltx/0`) as string,
      })
      expect(await refusal(replica.plan())).toBe('ERR_REPLICA_LAYOUT')
      const verdicts = await list(replica.verify())
      expect(verdicts.map(({ path, problem }) => [path, problem?.code])).toEqual([
        [replica.ltxFilePath(0, 1n, 1n), undefined],
        [named, 'ERR_REPLICA_LAYOUT'],
      ])
      renameSync(stray, replica.ltxFilePath(0, 2n, 2n))
      expect(await restoredTxid(replica)).toBe(2)
    },
  )

  it('are ignored at the top in directories with names that are not numbers', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await put(replica.path, 'ltx/0', 1)
    await put(replica.path, 'set-aside', 2)
    mkdirSync(directory.file('ltx', 'empty'))
    expect(await restoredTxid(replica)).toBe(1)
  })
})

describe('a replica with LTX files and files of litestream 0.3', () => {
  const at = (seconds: number): number => 1_700_000_000_000 + seconds * 1000

  async function replicaOf(root: string, ltxTimes: readonly number[], oldTimes: readonly number[]) {
    const replica = new FileReplica(root)
    for (const [index, time] of ltxTimes.entries()) {
      const txid = BigInt(index + 1)
      const bytes = await ltx(txid, txid, { timestamp: BigInt(at(time)) })
      await replica.writeLtxFile(0, txid, txid, bytes)
    }
    const { bytes, ends } = walOf([
      { page: 1, data: emptyDatabase(1), commit: 1 },
      { page: 1, data: emptyDatabase(1), commit: 1 },
    ])
    const [snapshot = 0, ...rest] = oldTimes
    writeOldFile(root, snapshotName(0), emptyDatabase(1), at(snapshot))
    for (const [place, time] of rest.entries()) {
      const [from = 0, to] = [place === 0 ? 0 : ends[0], ends[place]]
      writeOldFile(root, segmentName(0, from), bytes.subarray(from, to), at(time))
    }
    return replica
  }

  it.for([
    { what: 'LTX files, if they are newer', ltx: [10, 20], old: [1, 2, 3], from: 2 },
    { what: 'litestream 0.3, if it is newer', ltx: [10, 20], old: [1, 2, 21], from: 'generation' },
    { what: 'LTX files, if both are as new', ltx: [10, 20], old: [1, 2, 20], from: 2 },
    {
      what: 'the newer one at a time',
      ltx: [10, 20],
      old: [1, 5, 15],
      time: 16,
      from: 'generation',
    },
    { what: 'the other one at another time', ltx: [10, 20], old: [1, 5, 15], time: 12, from: 1 },
    { what: 'the only one of a time', ltx: [10, 20], old: [1, 5, 15], time: 6, from: 'generation' },
  ] as const)('is restored from $what', async ({ ltx: ltxTimes, old, from, ...more }) => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.path, ltxTimes, old)
    const time = 'time' in more ? at(more.time) : undefined
    expect(await restoredTxid(replica, { time })).toBe(from)
  })

  it('reports that it ignored the older kind, and restores that on request', async () => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.file('replica'), [10, 20], [1, 2, 30])
    const restore = async (options: Partial<RestoreOptions>) => {
      const output = directory.file(`${options.format ?? 'newer'}.db`)
      return await replica.restore({ output, integrityCheck: 'none', ...options })
    }
    expect(await restore({})).toMatchObject({
      from: { format: 'generation' },
      timestamp: new Date(at(30)),
      passedOver: { format: 'ltx', timestamp: new Date(at(20)) },
    })
    const chosen = await restore({ format: 'ltx' })
    expect(chosen).toMatchObject({ from: { format: 'ltx', txid: 2n }, timestamp: new Date(at(20)) })
    expect(chosen).not.toHaveProperty('passedOver')
    expect((await restore({ format: 'generation' })).from.format).toBe('generation')
    const output = directory.file('wrong.db')
    for (const options of [
      { format: 'ltx', index: 1 },
      { format: 'generation', txid: 1n },
    ] as const) {
      expect(await refusal(replica.restore({ output, ...options }))).toBe('ERR_REPLICA_OPTION')
    }
  })

  it('is refused if the newest generation has no snapshot', async () => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(directory.path, [10], [1, 2])
    const wal = walOf([{ page: 1, data: emptyDatabase(1), commit: 1 }]).bytes
    const path = writeOldFile(replica.path, segmentName(4, 0), wal, at(30), 'fedcba9876543210')
    const output = directory.file('a.db')
    await expect(replica.restore({ output })).rejects.toMatchObject({
      code: 'ERR_REPLICA_GAP',
      path,
    })
    expect(await restoredTxid(replica, { time: at(29) })).toBe(1)
  })
})

describe('a file that a copy left empty', () => {
  it('is refused, and the error names the state before it', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    for (const txid of [1, 2, 3]) await put(replica.path, 'ltx/0', txid)
    const path = replica.ltxFilePath(0, 3n, 3n)
    truncateSync(path, 0)
    const output = directory.file('a.db')
    for (const target of [{}, { txid: 3n }, { time: 9_000 }, { time: 2_000 }]) {
      await expect(replica.restore({ output, ...target })).rejects.toMatchObject({
        code: 'ERR_REPLICA_DAMAGED',
        path,
        message: expect.stringMatching(
          /the last state without it is after transaction 0000000000000002; restore that one$/,
        ) as string,
      })
    }
    expect(await restoredTxid(replica, { txid: 2n })).toBe(2)
    expect(await restoredTxid(replica, { time: 1_999 })).toBe(1)
    expect((await list(replica.verify())).map(({ problem }) => problem?.code)).toEqual([
      undefined,
      undefined,
      'ERR_REPLICA_DAMAGED',
    ])
  })

  it('is refused, and the error says so if other files have its transactions', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    for (const txid of [1, 2, 3]) await put(replica.path, 'ltx/0', txid)
    const path = await put(replica.path, 'ltx/1', 1, 3)
    truncateSync(path, 0)
    const output = directory.file('a.db')
    await expect(replica.restore({ output })).rejects.toThrow(
      /other files have its transactions: move it away, to restore transaction 0000000000000003 without it$/,
    )
  })

  it('is refused, and the error names the time before it if litestream 0.3 wrote it', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const { bytes, ends } = walOf([
      { page: 1, data: emptyDatabase(1), commit: 1 },
      { page: 1, data: emptyDatabase(1), commit: 1 },
    ])
    writeOldFile(replica.path, snapshotName(0), emptyDatabase(1), 1_000)
    writeOldFile(replica.path, segmentName(0, 0), bytes.subarray(0, ends[0]), 2_000)
    const path = writeOldFile(replica.path, segmentName(0, ends[0] ?? 0), bytes, 3_000)
    truncateSync(path, 0)
    const output = directory.file('a.db')
    await expect(replica.restore({ output, time: 9_000_000_000_000 })).rejects.toThrow(
      /the state before it is of 1970-01-01T00:00:02.000Z: restore that one by its time$/,
    )
    expect(await restoredTxid(replica, { time: 2_000 })).toBe('generation')
  })
})

describe('a time that no Date holds', () => {
  it('in a header prevents no restore', async () => {
    for (const [timestamp, nearest] of [
      [1n << 62n, 8.64e15],
      [-(1n << 62n), -8.64e15],
      [8_640_000_000_000_001n, 8.64e15],
    ] as const) {
      using directory = temporaryDirectory()
      const replica = new FileReplica(directory.file('replica'))
      const path = replica.ltxFilePath(0, 1n, 1n)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, await ltx(1n, 1n, { timestamp }))
      const output = directory.file('a.db')
      const result = await replica.restore({ output, integrityCheck: 'none' })
      expect(result.timestamp).toEqual(new Date(nearest))
      const { files } = await replica.plan()
      expect(files[0]?.createdAt).toEqual(new Date(nearest))
      expect((await list(replica.verify())).map(({ problem }) => problem)).toEqual([null])
      const planned = replica.plan({ time: 0 }).then(({ txid }) => `transaction ${txid}`)
      const found = await planned.catch((error: unknown) => (error as ReplicaError).code)
      expect(found).toBe(timestamp < 0 ? 'transaction 1' : 'ERR_REPLICA_EMPTY')
    }
  })
})

describe('a current directory that was deleted', () => {
  it('is an error for relative paths, and does not matter for absolute ones', async () => {
    using directory = temporaryDirectory()
    await put(directory.path, 'ltx/0', 1)
    const script = `
      const { mkdtempSync, rmdirSync } = await import('node:fs')
      const { FileReplica } = await import(${JSON.stringify(import.meta.resolve('@howdah/replica'))})
      const gone = mkdtempSync(${JSON.stringify(directory.file('gone-'))})
      process.chdir(gone)
      rmdirSync(gone)
      const codeOf = async (run) => await run().then(() => 'done', (error) => error.code + ' ' + error.name)
      console.log(await codeOf(async () => new FileReplica('relative')))
      const replica = new FileReplica(${JSON.stringify(directory.path)})
      console.log(await codeOf(async () => replica.restore({ output: 'a.db' })))
      const output = ${JSON.stringify(directory.file('a.db'))}
      console.log(await codeOf(async () => replica.restore({ output, integrityCheck: 'none' })))
    `
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: dirname(new URL(import.meta.url).pathname),
      encoding: 'utf8',
    })
    expect([stdout, stderr]).toEqual(['ENOENT ReplicaError\nENOENT ReplicaError\ndone\n', ''])
  })
})
