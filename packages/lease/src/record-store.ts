/** One state of the stored record. `Version` is what the store needs to replace exactly this state. */
export interface Stored<Version> {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly version: Version
}

/** What became of a swap that was done. */
export interface Swapped {
  readonly etag: string
  /** Whether the new state still was the present one when that was looked at; somebody may have followed already. */
  readonly present: boolean
}

/** Where one record is kept and replaced by compare-and-swap. */
export interface RecordStore<Version> {
  /** What names the record in messages. */
  readonly place: string
  /** What has to be done before the first use, and counts as no part of it; may be called again. */
  ready?(): Promise<void>
  /** The present state. Its `bytes` are null if nothing was stored yet. */
  read(signal?: AbortSignal): Promise<Stored<Version> | Absent<Version>>
  /**
   * Replaces the state by `next`; `null` if that was not done, since another one was faster.
   *
   * An unclear answer is settled before this returns, by reading again: `next` is unlike anything that anybody else
   * writes. Throws `ERR_LEASE_UNAVAILABLE` if it cannot be settled.
   */
  swap(
    base: Stored<Version> | Absent<Version>,
    next: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Swapped | null>
}

/** Nothing was stored yet. */
export interface Absent<Version> {
  readonly bytes: null
  readonly version: Version
}
