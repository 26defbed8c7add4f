import { formatLtxFileName, LtxDecoder, type LtxHeader, type LtxSummary } from '@howdah/ltx'
import { inFile } from '../damage.ts'
import { ReplicaError } from '../errors.ts'
import type { Storage } from '../storage.ts'
import type { LtxFileKey } from './ltx-file-info.ts'

const headerSize = 100

/** An LTX file of a replica: its level and transactions by its name, and its path. */
export interface LtxPlace extends LtxFileKey {
  readonly path: string
}

/** Receives the parts of a file while it is read. */
export interface LtxVisitor {
  /** May throw if the file does not belong here. */
  header?(header: LtxHeader): void
  page?(number: number, data: Buffer): Promise<void> | void
  /** Receives the number of bytes of each read. */
  read?(bytes: number): void
}

/** Reads a file to its end. Throws a {@link ReplicaError} with its path if it is damaged, or if its name is wrong. */
export async function readLtx(
  storage: Storage,
  place: LtxPlace,
  visitor: LtxVisitor = {},
): Promise<LtxSummary> {
  const stream = await storage.open(place.path, 0, 0)
  try {
    await using decoder = await LtxDecoder.open(stream as AsyncIterable<Uint8Array>)
    checkName(decoder.header, place)
    visitor.header?.(decoder.header)
    let read = 0
    for (;;) {
      const page = await decoder.nextPage()
      visitor.read?.(decoder.offset - read)
      read = decoder.offset
      if (page === null) return await decoder.finish()
      await visitor.page?.(page.number, page.data)
    }
  } catch (error) {
    throw inFile(error, place.path)
  } finally {
    stream.destroy()
  }
}

/** Reads a file's header only. Throws as {@link readLtx} does. */
export async function readLtxHeader(storage: Storage, place: LtxPlace): Promise<LtxHeader> {
  const stream = await storage.open(place.path, 0, headerSize)
  try {
    await using decoder = await LtxDecoder.open(stream as AsyncIterable<Uint8Array>)
    checkName(decoder.header, place)
    return decoder.header
  } catch (error) {
    throw inFile(error, place.path)
  } finally {
    stream.destroy()
  }
}

function checkName(header: LtxHeader, { minTxid, maxTxid, path }: LtxPlace): void {
  if (header.minTxid === minTxid && header.maxTxid === maxTxid) return
  const actual = formatLtxFileName(header.minTxid, header.maxTxid)
  throw new ReplicaError('ERR_REPLICA_MISMATCH', `${path} is really ${actual}; rename it`, { path })
}
