import { formatTxid, LtxDecoder } from '@howdah/ltx'
import { inFile } from './damage.ts'
import { ReplicaError } from './errors.ts'
import type { Layout } from './layout.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'
import { ltxInfo, ltxKeys, ltxLevels } from './ltx-list.ts'
import { openRange } from './open-range.ts'

/** The LTX files that make up a state of the database, to be applied in this order. */
export interface RestorePlan {
  readonly files: readonly LtxFileInfo[]
  /** The last transaction in that state. */
  readonly txid: bigint
  /** The sizes of the files together, in bytes. */
  readonly bytes: number
}

type Eligible = (key: LtxFileKey) => Promise<boolean>

/**
 * Chooses the files to restore a state from, across all levels: few and large ones.
 *
 * From the start on, the file that reaches farthest is next, among those that adjoin or overlap what is there. Times are
 * those in the files' headers, which survive copying, unlike mtimes. Throws a {@link ReplicaError}: `ERR_REPLICA_EMPTY`
 * where there is nothing to start from, `ERR_REPLICA_GAP` where transactions are missing on the way,
 * `ERR_REPLICA_NOT_REACHED` where no file ends with the wanted transaction.
 */
export async function planLtx(
  layout: Layout,
  target: { txid?: bigint | undefined; time?: number | undefined },
): Promise<RestorePlan> {
  const { txid, time } = target
  const keys = (await allKeys(layout)).filter((key) => txid === undefined || key.maxTxid <= txid)
  const eligible: Eligible =
    time === undefined
      ? () => Promise.resolve(true)
      : async (key) => (await timestamp(layout, key)) <= BigInt(Math.floor(time))
  const { chain, next } = await longestChain(keys, eligible)
  const reached = chain.at(-1)?.maxTxid ?? 0n
  if (next !== null && (await eligible(next))) throw gap(layout, reached, next)
  if (chain.length === 0) {
    throw new ReplicaError(
      'ERR_REPLICA_EMPTY',
      `${layout.ltx} has no LTX file to start from${time === undefined ? '' : ' at that time'}`,
      { path: layout.ltx },
    )
  }
  if (txid !== undefined && reached !== txid) {
    throw new ReplicaError(
      'ERR_REPLICA_NOT_REACHED',
      `no file of ${layout.ltx} ends with transaction ${formatTxid(txid)}; the last state before it is after ${formatTxid(reached)}`,
      { path: layout.ltx },
    )
  }
  const files = await Promise.all(chain.map((key) => infoOf(layout, key)))
  return { files, txid: reached, bytes: files.reduce((sum, file) => sum + file.size, 0) }
}

/** When the last transaction in a file was made, by its header, in ms since 1970. */
async function timestamp(layout: Layout, key: LtxFileKey): Promise<bigint> {
  const path = layout.ltxFile(key.level, key.minTxid, key.maxTxid)
  const stream = await openRange(path, 0, 100)
  try {
    await using decoder = await LtxDecoder.open(stream as AsyncIterable<Uint8Array>)
    return decoder.header.timestamp
  } catch (error) {
    throw inFile(error, path)
  } finally {
    stream.destroy()
  }
}

/** All files, sorted by first transaction. */
async function allKeys(layout: Layout): Promise<LtxFileKey[]> {
  const levels = await ltxLevels(layout)
  const keys = (await Promise.all(levels.map((level) => ltxKeys(layout, level, 0n)))).flat()
  return keys.toSorted((one, other) => compare(one.minTxid, other.minTxid))
}

/** The chain of files that reaches farthest, and the file that follows after it, beyond a gap. */
async function longestChain(
  keys: readonly LtxFileKey[],
  eligible: Eligible,
): Promise<{ chain: LtxFileKey[]; next: LtxFileKey | null }> {
  const chain: LtxFileKey[] = []
  let reached = 0n
  let adjoining: LtxFileKey[] = []
  let at = 0
  for (;;) {
    for (let key = keys[at]; key !== undefined && key.minTxid <= reached + 1n; key = keys[++at]) {
      adjoining.push(key)
    }
    // Of those that reach equally far, the one of the highest level.
    adjoining = adjoining
      .filter((key) => key.maxTxid > reached)
      .toSorted((one, other) => compare(other.maxTxid, one.maxTxid) || other.level - one.level)
    const best = await firstEligible(adjoining, eligible)
    if (best === null) return { chain, next: keys[at] ?? null }
    chain.push(best)
    reached = best.maxTxid
  }
}

async function firstEligible(
  keys: readonly LtxFileKey[],
  eligible: Eligible,
): Promise<LtxFileKey | null> {
  for (const key of keys) if (await eligible(key)) return key
  return null
}

async function infoOf(layout: Layout, key: LtxFileKey): Promise<LtxFileInfo> {
  const info = await ltxInfo(layout, key)
  if (info !== null) return info
  const path = layout.ltxFile(key.level, key.minTxid, key.maxTxid)
  throw new ReplicaError('ENOENT', `${path} is gone since it was listed`, { path })
}

function gap(layout: Layout, reached: bigint, next: LtxFileKey): ReplicaError {
  const path = layout.ltxFile(next.level, next.minTxid, next.maxTxid)
  const remedy =
    reached === 0n
      ? 'there is no snapshot to start from'
      : `restore transaction ${formatTxid(reached)} to go without them`
  return new ReplicaError(
    'ERR_REPLICA_GAP',
    `the transactions ${formatTxid(reached + 1n)} to ${formatTxid(next.minTxid - 1n)} before ${path} are missing; ${remedy}`,
    { path },
  )
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0
}
