/** Which transactions an LTX file of a replica holds, at which level of compaction. */
export interface LtxFileKey {
  /** 0 for files as they were first written; compacted ones are higher, litestream keeps snapshots at 9. */
  readonly level: number
  readonly minTxid: bigint
  readonly maxTxid: bigint
}

/** An LTX file of a replica. */
export interface LtxFileInfo extends LtxFileKey {
  /** Its size in bytes. */
  readonly size: number
  /** When its last transaction was made: the file's mtime. */
  readonly createdAt: Date
}
