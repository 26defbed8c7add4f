import { formatTxid } from './txid.ts'

/** The parts of an LTX file's name: the first and the last transaction in the file. */
export interface LtxFileName {
  readonly minTxid: bigint
  readonly maxTxid: bigint
}

/** The name of the file that holds these transactions, `<min>-<max>.ltx`. */
export function formatLtxFileName(minTxid: bigint, maxTxid: bigint): string {
  return `${formatTxid(minTxid)}-${formatTxid(maxTxid)}.ltx`
}

/** Parses the name of a file; `null` if it does not have the form `<min>-<max>.ltx`. */
export function parseLtxFileName(name: string): LtxFileName | null {
  const match = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/.exec(name)
  return match && { minTxid: BigInt(`0x${match[1]}`), maxTxid: BigInt(`0x${match[2]}`) }
}
