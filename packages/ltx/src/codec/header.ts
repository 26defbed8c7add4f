import { LtxError } from '../errors.ts'

/** The size of an LTX header in bytes. */
export const headerSize = 100

/** This bit is set in every checksum. A missing checksum is 0. */
export const checksumFlag = 1n << 63n

const magic = 0x4c54_5831
const noChecksumFlag = 0x2

/**
 * The header of an LTX file. All 64-bit fields are `bigint`s.
 *
 * See the format's own description in github.com/superfly/ltx.
 */
export interface LtxHeader {
  /** Bytes per page: a power of two from 512 to 65,536. */
  readonly pageSize: number
  /** The database's size after this file is applied, in pages; 0 if the database is deleted. */
  readonly commit: number
  /** The first transaction in this file. A file that starts with transaction 1 is a snapshot: it holds every page. */
  readonly minTxid: bigint
  /** The last transaction in this file. */
  readonly maxTxid: bigint
  /** When the last transaction was made, in milliseconds since 1970; negative before. */
  readonly timestamp: bigint
  /** Whether the file has no database checksums. litestream 0.5 reads and writes only such files. */
  readonly noChecksum: boolean
  /** The database checksum before this file is applied; 0 for a snapshot and with `noChecksum`. */
  readonly preApplyChecksum: bigint
  /** The offset in the WAL from which the file was made, in bytes; 0 if it was not made from a WAL. */
  readonly walOffset: bigint
  /** The length of that part of the WAL, in bytes. */
  readonly walSize: bigint
  readonly walSalt1: number
  readonly walSalt2: number
  /** The node that wrote the file; 0 if none is named. */
  readonly nodeId: bigint
}

/** A header to write. Missing fields are 0, and `noChecksum` is true, because litestream reads only such files. */
export type LtxHeaderInit = Pick<
  LtxHeader,
  'pageSize' | 'commit' | 'minTxid' | 'maxTxid' | 'timestamp'
> &
  Partial<LtxHeader>

/** Whether a file with this header holds the whole database. */
export function isSnapshot(header: Pick<LtxHeader, 'minTxid'>): boolean {
  return header.minTxid === 1n
}

/** Completes and checks a header. Throws `ERR_LTX_HEADER` with the offset of an invalid field. */
export function makeHeader(init: LtxHeaderInit): LtxHeader {
  const header = {
    pageSize: init.pageSize,
    commit: init.commit,
    minTxid: init.minTxid,
    maxTxid: init.maxTxid,
    timestamp: init.timestamp,
    noChecksum: init.noChecksum ?? true,
    preApplyChecksum: init.preApplyChecksum ?? 0n,
    walOffset: init.walOffset ?? 0n,
    walSize: init.walSize ?? 0n,
    walSalt1: init.walSalt1 ?? 0,
    walSalt2: init.walSalt2 ?? 0,
    nodeId: init.nodeId ?? 0n,
  }
  validate(header)
  return header
}

/** A header's 100 bytes. */
export function encodeHeader(header: LtxHeader): Buffer {
  const bytes = Buffer.alloc(headerSize)
  try {
    bytes.writeUInt32BE(magic, 0)
    bytes.writeUInt32BE(header.noChecksum ? noChecksumFlag : 0, 4)
    bytes.writeUInt32BE(header.pageSize, 8)
    bytes.writeUInt32BE(header.commit, 12)
    bytes.writeBigUInt64BE(header.minTxid, 16)
    bytes.writeBigUInt64BE(header.maxTxid, 24)
    bytes.writeBigInt64BE(header.timestamp, 32)
    bytes.writeBigUInt64BE(header.preApplyChecksum, 40)
    bytes.writeBigInt64BE(header.walOffset, 48)
    bytes.writeBigInt64BE(header.walSize, 56)
    bytes.writeUInt32BE(header.walSalt1, 64)
    bytes.writeUInt32BE(header.walSalt2, 68)
    bytes.writeBigUInt64BE(header.nodeId, 72)
  } catch (cause) {
    throw new LtxError('ERR_LTX_HEADER', 'a header field does not fit into its place', { cause })
  }
  return bytes
}

/**
 * Reads and checks the 100 bytes of a header.
 *
 * Throws `ERR_LTX_MAGIC` if this is not an LTX file, and `ERR_LTX_HEADER` with the offset of an invalid field. Versions 1 to
 * 3 have the same header; an older version is recognized only at its first page.
 */
export function decodeHeader(bytes: Buffer): LtxHeader {
  if (bytes.readUInt32BE(0) !== magic) {
    throw new LtxError('ERR_LTX_MAGIC', 'this is not an LTX file: it does not start with LTX1', {
      offset: 0,
    })
  }
  const flags = bytes.readUInt32BE(4)
  if ((flags & ~noChecksumFlag) !== 0) throw invalid(4, `flags 0x${flags.toString(16)} are unknown`)
  const header = {
    pageSize: bytes.readUInt32BE(8),
    commit: bytes.readUInt32BE(12),
    minTxid: bytes.readBigUInt64BE(16),
    maxTxid: bytes.readBigUInt64BE(24),
    timestamp: bytes.readBigInt64BE(32),
    noChecksum: flags === noChecksumFlag,
    preApplyChecksum: bytes.readBigUInt64BE(40),
    walOffset: bytes.readBigInt64BE(48),
    walSize: bytes.readBigInt64BE(56),
    walSalt1: bytes.readUInt32BE(64),
    walSalt2: bytes.readUInt32BE(68),
    nodeId: bytes.readBigUInt64BE(72),
  }
  validate(header)
  return header
}

function validate(header: LtxHeader): void {
  const { pageSize, minTxid, maxTxid, noChecksum, preApplyChecksum, walOffset, walSize } = header
  if (!isPageSize(pageSize)) {
    throw invalid(8, `page size ${pageSize} is not a power of two from 512 to 65536`)
  }
  if (minTxid < 1n) throw invalid(16, 'the first transaction id must be at least 1')
  if (maxTxid < minTxid) throw invalid(24, 'the last transaction id lies before the first')
  if (walOffset < 0n) throw invalid(48, `WAL offset ${walOffset} is negative`)
  if (walSize < 0n) throw invalid(56, `WAL size ${walSize} is negative`)
  if (walOffset === 0n && (walSize !== 0n || header.walSalt1 !== 0 || header.walSalt2 !== 0)) {
    throw invalid(48, 'WAL salts or a WAL size need a WAL offset')
  }
  if (noChecksum && preApplyChecksum !== 0n) {
    throw invalid(40, 'a file without checksums has a pre-apply checksum')
  }
  if (isSnapshot(header) && preApplyChecksum !== 0n) {
    throw invalid(40, 'a snapshot has a pre-apply checksum')
  }
  if (!isSnapshot(header) && !noChecksum && preApplyChecksum < checksumFlag) {
    throw invalid(40, 'the pre-apply checksum is missing, or lacks its highest bit')
  }
}

function isPageSize(size: number): boolean {
  return Number.isInteger(size) && size >= 512 && size <= 65_536 && (size & (size - 1)) === 0
}

function invalid(offset: number, why: string): LtxError {
  return new LtxError('ERR_LTX_HEADER', `the header is invalid: ${why}`, { offset })
}
