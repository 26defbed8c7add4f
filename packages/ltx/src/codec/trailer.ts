import { LtxError } from '../errors.ts'
import { checksumFlag, type LtxHeader } from './header.ts'

/** The size of an LTX trailer in bytes. */
export const trailerSize = 16

/** The end of an LTX file. */
export interface LtxTrailer {
  /** The database checksum after the file is applied; 0 if the file has none. */
  readonly postApplyChecksum: bigint
  /** The checksum of the whole file with decompressed pages. */
  readonly fileChecksum: bigint
}

/** A trailer's 16 bytes. */
export function encodeTrailer(trailer: LtxTrailer): Buffer {
  const bytes = Buffer.allocUnsafe(trailerSize)
  bytes.writeBigUInt64BE(trailer.postApplyChecksum, 0)
  bytes.writeBigUInt64BE(trailer.fileChecksum, 8)
  return bytes
}

/** Reads a trailer at an offset. Throws `ERR_LTX_TRAILER` if its checksums are invalid. */
export function decodeTrailer(bytes: Buffer, header: LtxHeader, offset: number): LtxTrailer {
  const trailer = {
    postApplyChecksum: bytes.readBigUInt64BE(0),
    fileChecksum: bytes.readBigUInt64BE(8),
  }
  checkPostApply(header, trailer.postApplyChecksum, offset)
  if (trailer.fileChecksum < checksumFlag) {
    throw new LtxError('ERR_LTX_TRAILER', 'the file checksum lacks its highest bit', {
      offset: offset + 8,
    })
  }
  return trailer
}

/**
 * Throws `ERR_LTX_TRAILER` if a post-apply checksum is missing, is present although the header excludes it, or cannot be
 * right.
 */
export function checkPostApply(header: LtxHeader, checksum: bigint, offset?: number): void {
  if (header.noChecksum && checksum !== 0n) {
    throw new LtxError('ERR_LTX_TRAILER', 'a file without checksums has a post-apply checksum', {
      offset,
    })
  }
  if (!header.noChecksum && checksum < checksumFlag) {
    throw new LtxError(
      'ERR_LTX_TRAILER',
      'the post-apply checksum is missing, or lacks its highest bit',
      { offset },
    )
  }
  if (!header.noChecksum && header.commit === 0 && checksum !== checksumFlag) {
    throw new LtxError(
      'ERR_LTX_TRAILER',
      'the post-apply checksum is not that of an empty database',
      { offset },
    )
  }
}
