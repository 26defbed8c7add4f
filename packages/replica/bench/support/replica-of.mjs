// A replica of a database that is made up, and what its restoring is compared with.
import { copyFile, open, writeFile } from 'node:fs/promises'
import { encodeLtx } from '@howdah/ltx'
import { FileReplica } from '@howdah/replica'
import { pageData, pageSize } from '../../../ltx/bench/support/page-data.mjs'

/** The size of the database, in pages and in bytes. */
export const pages = Number(process.env.HOWDAH_BENCH_PAGES ?? 32_768)
export const size = pages * pageSize
/** How many files are listed. */
export const files = Number(process.env.HOWDAH_BENCH_FILES ?? 20_000)

/** Some pages, used again and again, so that making them costs nothing. */
const templates = Array.from({ length: 1024 }, (_, template) => pageData(template))

function* content(count, step) {
  for (let number = step; number <= count; number += step) {
    yield { number, data: templates[number % templates.length] }
  }
}

/** The LTX file of a transaction that changes every page, or every `step`-th. */
export const file = (txid, step = 1) =>
  encodeLtx(
    { pageSize, commit: pages, minTxid: txid, maxTxid: txid, timestamp: 0n },
    content(pages, step),
  )

/** Writes 8 increments of an eighth of the database each. */
export async function writeIncrements(replica) {
  for (let txid = 2n; txid <= 9n; txid++) await replica.writeLtxFile(0, txid, txid, file(txid, 8))
}

export async function copyAndSync(from, to) {
  await copyFile(from, to)
  const handle = await open(to, 'r+')
  await handle.sync()
  await handle.close()
}

/** A replica of many files, of which all but one are empty. */
export async function replicaOfMany(directory) {
  const replica = new FileReplica(directory)
  const header = { pageSize, commit: 0, minTxid: 1n, maxTxid: 1n, timestamp: 0n }
  await replica.writeLtxFile(0, 1n, 1n, encodeLtx(header, []))
  for (let txid = 2n; txid <= files; txid++) await writeFile(replica.ltxFilePath(0, txid, txid), '')
  return replica
}

/** Goes through values, and gives their number. */
export async function drain(values) {
  let count = 0
  for await (const value of values) {
    if (value.problem) throw value.problem
    count++
  }
  return count
}
