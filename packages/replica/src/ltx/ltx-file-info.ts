/** The transactions and the level of compaction of an LTX file of a replica. */
export interface LtxFileKey {
  /** 0 if the file was not compacted; compacted files have a higher level. Litestream keeps snapshots at level 9. */
  readonly level: number
  readonly minTxid: bigint
  readonly maxTxid: bigint
}

/** An LTX file of a replica. */
export interface LtxFileInfo extends LtxFileKey {
  /** Its size in bytes. */
  readonly size: number
  /** The time of its last transaction: the file's mtime. */
  readonly createdAt: Date
}
