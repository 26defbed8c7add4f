import { readdirSync } from 'node:fs'
import { encodeLtx, type LtxHeaderInit } from '@howdah/ltx'
import { ReplicaError } from '../../src/index.ts'

/** An LTX file of transactions min to max, whose single page is filled with a byte. */
export async function ltx(
  minTxid: bigint,
  maxTxid = minTxid,
  more: Partial<LtxHeaderInit> & { byte?: number } = {},
): Promise<Buffer> {
  const { byte = 1, ...init } = more
  const header = { pageSize: 512, commit: 1, minTxid, maxTxid, timestamp: maxTxid * 1000n, ...init }
  const pages = [{ number: 1, data: Buffer.alloc(header.pageSize, byte) }]
  return await gather(encodeLtx(header, pages))
}

/** All chunks together. */
export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

/** All values of a listing. */
export async function list<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

/** The names of all files and directories below a directory, sorted. */
export function below(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()
}

/** The code of the replica's error that something ends with. */
export async function refusal(run: Promise<unknown>): Promise<string> {
  try {
    await run
  } catch (error) {
    if (error instanceof ReplicaError) return error.code
    throw error
  }
  throw new Error('it was not refused')
}
