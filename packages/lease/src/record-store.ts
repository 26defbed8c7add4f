/** A state of the stored record. With `version`, the store can replace exactly this state. */
export interface Stored<Version> {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly version: Version
}

/** The result of a successful swap. */
export interface Swapped {
  readonly etag: string
  /** Whether the new state was still the present one when the store looked; another change may have followed already. */
  readonly present: boolean
}

/** Keeps one record, which is replaced by compare-and-swap. */
export interface RecordStore<Version> {
  /** The name of the record in messages. */
  readonly place: string
  /** Prepares the first use. Its time does not count as part of a request. It may be called again. */
  ready?(): Promise<void>
  /** The present state. Its `bytes` are null if nothing was stored yet. */
  read(signal?: AbortSignal): Promise<Stored<Version> | Absent<Version>>
  /**
   * Replaces the state by `next`; `null` if another change was faster.
   *
   * An unclear answer is settled before this returns, by reading again; `next` differs from everything that others write.
   * Rejects with `ERR_LEASE_UNAVAILABLE` if it cannot be settled.
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
