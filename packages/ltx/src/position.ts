import { LtxError } from './errors.ts'
import { formatChecksum, formatTxid, parseChecksum, parseTxid } from './txid.ts'

/** A state of a database: its last transaction, and the database checksum after that transaction. */
export interface LtxPosition {
  readonly txid: bigint
  readonly checksum: bigint
}

/** A position as text, `<txid>/<checksum>`, 16 lower-case hex digits each. */
export function formatPosition(position: LtxPosition): string {
  return `${formatTxid(position.txid)}/${formatChecksum(position.checksum)}`
}

/** Parses `<txid>/<checksum>`. Throws `ERR_LTX_OPTION` for any other text. */
export function parsePosition(text: string): LtxPosition {
  const [txid, checksum, ...rest] = text.split('/')
  if (txid === undefined || checksum === undefined || rest.length > 0) {
    throw new LtxError(
      'ERR_LTX_OPTION',
      `${JSON.stringify(text)} is not a position: it takes <txid>/<checksum>`,
    )
  }
  return { txid: parseTxid(txid), checksum: parseChecksum(checksum) }
}
