/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type LtxErrorCode =
  | 'ERR_LTX_BINDING'
  | 'ERR_LTX_CHECKSUM'
  | 'ERR_LTX_COMPACTION'
  | 'ERR_LTX_HEADER'
  | 'ERR_LTX_INDEX'
  | 'ERR_LTX_IO'
  | 'ERR_LTX_LZ4'
  | 'ERR_LTX_MAGIC'
  | 'ERR_LTX_OPTION'
  | 'ERR_LTX_PAGE'
  | 'ERR_LTX_PAGE_ORDER'
  | 'ERR_LTX_TRAILER'
  | 'ERR_LTX_TRAILING_DATA'
  | 'ERR_LTX_TRUNCATED'
  | 'ERR_LTX_VERSION'

interface Details {
  /** The place in the file, in bytes from its start. */
  offset?: number | undefined
  cause?: unknown
}

/** The class of all errors of this package. `code` says what happened, `offset` where in the file. */
export class LtxError extends Error {
  override readonly name = 'LtxError'
  readonly code: LtxErrorCode
  /**
   * The place in the file (or LZ4 stream) where it was noticed, in bytes from the start; missing if the error has no place.
   */
  readonly offset?: number

  constructor(code: LtxErrorCode, message: string, details: Details = {}) {
    const place = details.offset === undefined ? '' : ` (at byte ${details.offset})`
    super(message + place, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.offset !== undefined) this.offset = details.offset
  }
}
