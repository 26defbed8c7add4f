import { formatLtxFileName } from '@howdah/ltx'
import { ReplicaError } from './errors.ts'
import type { Storage } from './storage.ts'

/** Throws `ERR_REPLICA_OPTION` if a level is not a natural number. */
export function checkLevel(level: number): void {
  if (!Number.isSafeInteger(level) || level < 0) {
    throw new ReplicaError('ERR_REPLICA_OPTION', `the level ${level} is not a natural number`)
  }
}

/**
 * The name of an LTX file. Throws `ERR_REPLICA_OPTION` if a transaction id is less than 1, or if the ids are not in order.
 */
export function ltxFileName(minTxid: bigint, maxTxid: bigint): string {
  if (minTxid < 1n || maxTxid < minTxid || maxTxid >= 1n << 64n) {
    throw new ReplicaError(
      'ERR_REPLICA_OPTION',
      `the transaction ids ${minTxid} to ${maxTxid} are not at least 1 and in order`,
    )
  }
  return formatLtxFileName(minTxid, maxTxid)
}

/** The directory of litestream 0.3's generations. */
export function generationsDirectory(storage: Storage): string {
  return storage.join('generations')
}

/** The directory of a generation of litestream 0.3. Throws `ERR_REPLICA_OPTION` if its name is not 16 hex digits. */
export function generationDirectory(
  storage: Storage,
  generation: string,
  ...names: string[]
): string {
  if (!isGeneration(generation)) {
    throw new ReplicaError(
      'ERR_REPLICA_OPTION',
      `${JSON.stringify(generation)} is not a generation: it takes exactly 16 lower-case hex digits`,
    )
  }
  return storage.join('generations', generation, ...names)
}

/** Whether a directory's name is that of a generation. */
export function isGeneration(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name)
}
