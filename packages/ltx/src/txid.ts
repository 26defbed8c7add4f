import { LtxError } from './errors.ts'

/** The largest transaction id and the largest checksum: both are unsigned 64-bit integers. */
const largest = 0xffff_ffff_ffff_ffffn

/**
 * A transaction id as text: exactly 16 lower-case hex digits.
 *
 * Throws `ERR_LTX_OPTION` if it does not fit into 64 bits.
 */
export function formatTxid(txid: bigint): string {
  return hex(txid, 'transaction id')
}

/** Parses a transaction id of exactly 16 lower-case hex digits. Throws `ERR_LTX_OPTION` for any other text. */
export function parseTxid(text: string): bigint {
  return fromHex(text, 'transaction id')
}

/** A checksum as text: exactly 16 lower-case hex digits. Throws `ERR_LTX_OPTION` if it does not fit into 64 bits. */
export function formatChecksum(checksum: bigint): string {
  return hex(checksum, 'checksum')
}

/** Parses a checksum of exactly 16 lower-case hex digits. Throws `ERR_LTX_OPTION` for any other text. */
export function parseChecksum(text: string): bigint {
  return fromHex(text, 'checksum')
}

function hex(value: bigint, what: string): string {
  if (value < 0n || value > largest) {
    throw new LtxError('ERR_LTX_OPTION', `the ${what} ${value} is not an unsigned 64-bit integer`)
  }
  return value.toString(16).padStart(16, '0')
}

function fromHex(text: string, what: string): bigint {
  if (!/^[0-9a-f]{16}$/.test(text)) {
    throw new LtxError(
      'ERR_LTX_OPTION',
      `${JSON.stringify(text)} is no ${what}: it takes exactly 16 lower-case hex digits`,
    )
  }
  return BigInt(`0x${text}`)
}
