import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStorage } from '../../src/file/file-storage.ts'
import { withDefaults } from '../../src/file/modes.ts'
import { FileReplica, type RestoreProgress } from '../../src/index.ts'
import { readLtx, readLtxHeader, type LtxPlace } from '../../src/ltx/read-ltx.ts'
import { list, ltx } from '../support/files.ts'

let directory: TemporaryDirectory
let replica: FileReplica
let storage: FileStorage

beforeEach(() => {
  directory = temporaryDirectory()
  replica = new FileReplica(directory.file('replica'))
  storage = new FileStorage(directory.file('replica'), withDefaults({}))
})
afterEach(() => directory[Symbol.dispose]())

/** Puts bytes where the file of these transactions belongs. */
function put(minTxid: bigint, maxTxid: bigint, bytes: Buffer): LtxPlace {
  const path = replica.ltxFilePath(0, minTxid, maxTxid)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  return { level: 0, minTxid, maxTxid, path }
}

describe('a file', () => {
  it('is read to its end: its header, its pages, and each of its bytes once', async () => {
    const bytes = await ltx(2n, 3n, { byte: 7 })
    const place = put(2n, 3n, bytes)
    const seen: unknown[] = []
    let read = 0
    const { header, pages } = await readLtx(storage, place, {
      header: ({ minTxid }) => void seen.push(minTxid),
      page: (number, data) => void seen.push([number, data[0]]),
      read: (count) => {
        expect(count).toBeGreaterThanOrEqual(0)
        read += count
      },
    })
    expect(seen).toEqual([2n, [1, 7]])
    expect([header.maxTxid, pages]).toEqual([3n, 1])
    // All but the index and the trailer, which come after the last page.
    expect(read).toBeGreaterThan(100)
    expect(read).toBeLessThanOrEqual(bytes.length)
    expect(await readLtxHeader(storage, place)).toEqual(header)
  })

  it.each([
    [1n, 3n],
    [2n, 4n],
    [1n, 4n],
  ])('that calls itself %i to %i is not that of 2 to 3, whoever reads it', async (min, max) => {
    const place = put(2n, 3n, await ltx(min, max))
    put(1n, 1n, await ltx(1n))
    const mismatch = { code: 'ERR_REPLICA_MISMATCH', path: place.path }
    await expect(readLtx(storage, place)).rejects.toMatchObject(mismatch)
    await expect(readLtxHeader(storage, place)).rejects.toMatchObject(mismatch)
    const output = directory.file('app.db')
    await expect(replica.restore({ output, integrityCheck: 'none' })).rejects.toMatchObject(
      mismatch,
    )
    const verdicts = await list(replica.verify())
    expect(verdicts.map(({ problem }) => problem?.path)).toEqual([undefined, place.path])
  })
})

it('a restore tells how far it is: in the end it has read all files', async () => {
  for (const txid of [1n, 2n, 3n]) put(txid, txid, await ltx(txid))
  const seen: RestoreProgress[] = []
  await replica.restore({
    output: directory.file('app.db'),
    integrityCheck: 'none',
    onProgress: (progress) => void seen.push(progress),
  })
  expect(seen.at(-1)).toMatchObject({ phase: 'checking', files: 3, totalFiles: 3 })
  expect(seen.at(-1)?.bytes).toBe(seen.at(-1)?.totalBytes)
  expect(seen.map(({ bytes }) => bytes)).toEqual(
    seen.map(({ bytes }) => bytes).toSorted((one, other) => one - other),
  )
})
