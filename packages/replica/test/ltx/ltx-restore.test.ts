import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { DatabaseChecksum, encodeLtx, type LtxHeaderInit, type PageContent } from '@howdah/ltx'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FileReplica } from '../../src/index.ts'
import { gather } from '../support/files.ts'

let directory: TemporaryDirectory
let replica: FileReplica

beforeEach(() => {
  directory = temporaryDirectory()
  replica = new FileReplica(directory.file('replica'))
})
afterEach(() => directory[Symbol.dispose]())

const page = (number: number, byte: number): PageContent => {
  return { number, data: Buffer.alloc(512, byte) }
}

/** Puts a file of one transaction into the replica, and gives its path. */
async function put(
  txid: bigint,
  commit: number,
  pages: PageContent[],
  more: Partial<LtxHeaderInit> & { postApplyChecksum?: bigint } = {},
): Promise<string> {
  const { postApplyChecksum, ...init } = more
  const header = { pageSize: 512, commit, minTxid: txid, maxTxid: txid, timestamp: txid * 1000n }
  const path = replica.ltxFilePath(0, txid, txid)
  mkdirSync(dirname(path), { recursive: true })
  const chunks = encodeLtx({ ...header, ...init }, pages, { postApplyChecksum })
  writeFileSync(path, await gather(chunks))
  return path
}

const output = () => directory.file('app.db')
const restore = async (txid?: bigint) =>
  await replica.restore({
    output: output(),
    integrityCheck: 'none',
    ...(txid !== undefined && { txid }),
  })
const bytes = (...pages: number[]) => Buffer.concat(pages.map((byte) => Buffer.alloc(512, byte)))

it('a restore puts each page in its place, and cuts the database to its size', async () => {
  await put(1n, 3, [page(1, 1), page(2, 2), page(3, 3)])
  await put(2n, 2, [page(2, 9)])
  expect(await restore()).toMatchObject({
    from: { format: 'ltx', txid: 2n },
    timestamp: new Date(2000),
    pageSize: 512,
    pages: 2,
    files: 2,
  })
  expect(readFileSync(output()).equals(bytes(1, 9))).toBe(true)
})

it('a restore of an earlier state is of that state alone', async () => {
  await put(1n, 3, [page(1, 1), page(2, 2), page(3, 3)])
  await put(2n, 2, [page(2, 9)])
  expect(await restore(1n)).toMatchObject({ timestamp: new Date(1000), pages: 3, files: 1 })
  expect(readFileSync(output()).equals(bytes(1, 2, 3))).toBe(true)
})

const sum = (...pages: number[]): bigint => {
  const checksum = new DatabaseChecksum()
  for (const [index, byte] of pages.entries()) checksum.add(index + 1, Buffer.alloc(512, byte))
  return checksum.value
}

it.each([
  ['all files track', false],
  ['only the last file tracks', true],
])('a restore checks the checksums if %s them', async (_, noChecksum) => {
  const increment = { noChecksum: false, preApplyChecksum: sum(1, 2), postApplyChecksum: sum(1, 9) }
  await put(1n, 2, [page(1, 1), page(2, 2)], { noChecksum })
  const path = await put(2n, 2, [page(2, 9)], increment)
  await restore()
  expect(readFileSync(output()).equals(bytes(1, 9))).toBe(true)
  for (const wrong of [{ preApplyChecksum: sum(1, 3) }, { postApplyChecksum: sum(1, 8) }]) {
    await put(2n, 2, [page(2, 9)], { ...increment, ...wrong })
    const restoring = replica.restore({ output: directory.file('other'), integrityCheck: 'none' })
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_REPLICA_MISMATCH', path })
  }
})
