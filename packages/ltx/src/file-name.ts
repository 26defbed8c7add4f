import { formatTxid } from './txid.ts'

/** What the name of an LTX file says: the first and the last transaction in it. */
export interface LtxFileName {
  readonly minTxid: bigint
  readonly maxTxid: bigint
}

/** The name of the file that holds these transactions, `<min>-<max>.ltx`. */
export function formatLtxFileName(minTxid: bigint, maxTxid: bigint): string {
  return `${formatTxid(minTxid)}-${formatTxid(maxTxid)}.ltx`
}

/** What a file's name says, or `null` if it is not of the form `<min>-<max>.ltx`. */
export function parseLtxFileName(name: string): LtxFileName | null {
  const match = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/.exec(name)
  return match && { minTxid: BigInt(`0x${match[1]}`), maxTxid: BigInt(`0x${match[2]}`) }
}
