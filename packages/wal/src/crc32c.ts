/** The bits of the Castagnoli polynomial, with the lowest power last. */
const polynomial = 0x82f63b78

/**
 * Eight tables of 256 entries: the effect of a byte on the checksum if zero to seven bytes follow it. With them eight bytes
 * are processed at once ("slicing-by-8").
 */
const tables = new Uint32Array(8 * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? polynomial : 0)
  tables[byte] = value
}
for (let at = 256; at < tables.length; at += 1) {
  const before = tables[at - 256]!
  tables[at] = (before >>> 8) ^ tables[before & 0xff]!
}

/** The CRC-32C of some bytes, as PostgreSQL computes it (RFC 3720, appendix B.4, has test values). Unsigned. */
export function crc32c(bytes: Uint8Array): number {
  return finishCrc32c(addToCrc32c(emptyCrc32c, bytes))
}

/** The state before the first byte, for a checksum that is computed piece by piece. */
export const emptyCrc32c = -1

/** Adds bytes, from `start` up to but without `end`, and gives the new state. */
export function addToCrc32c(
  state: number,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): number {
  let crc = state
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      tables[0x700 + (crc & 0xff)]! ^
      tables[0x600 + ((crc >>> 8) & 0xff)]! ^
      tables[0x500 + ((crc >>> 16) & 0xff)]! ^
      tables[0x400 + (crc >>> 24)]! ^
      tables[0x300 + bytes[at + 4]!]! ^
      tables[0x200 + bytes[at + 5]!]! ^
      tables[0x100 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!
  return crc
}

/** The checksum of all that was added. Unsigned. */
export function finishCrc32c(state: number): number {
  return (state ^ -1) >>> 0
}
