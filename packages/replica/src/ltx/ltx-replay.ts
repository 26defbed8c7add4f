import {
  formatChecksum,
  formatTxid,
  PageChecksums,
  type LtxHeader,
  type LtxTrailer,
} from '@howdah/ltx'
import { ReplicaError } from '../errors.ts'
import type { LtxPlace } from './read-ltx.ts'

/**
 * Checks whether LTX files that are applied one after the other belong together.
 *
 * For each file, call `begin`, `page` for its pages, and `end`. If any file tracks database checksums, this computes the
 * checksum of the database, and compares it with the checksums before and after each such file. The checksum before a file is
 * known if another file of the chain ends there.
 */
export class LtxReplay {
  #pageSize: number | null
  readonly #checksums: PageChecksums | null
  /** The database's checksum after the last transaction of each file of the chain. */
  readonly #known: Map<bigint, bigint>

  /** Starts with an empty database. */
  static start(tracksChecksums: boolean): LtxReplay {
    return new LtxReplay(null, tracksChecksums ? new PageChecksums() : null, new Map())
  }

  private constructor(
    pageSize: number | null,
    checksums: PageChecksums | null,
    known: Map<bigint, bigint>,
  ) {
    this.#pageSize = pageSize
    this.#checksums = checksums
    this.#known = known
  }

  /** Whether `page` must be called. */
  get needsPages(): boolean {
    return this.#checksums !== null
  }

  /** An independent copy of this state. */
  clone(): LtxReplay {
    return new LtxReplay(this.#pageSize, this.#checksums?.clone() ?? null, new Map(this.#known))
  }

  /** Throws `ERR_REPLICA_MISMATCH` if a file with this header cannot follow the files before it. */
  begin(header: LtxHeader, place: LtxPlace): void {
    const { pageSize, minTxid, preApplyChecksum } = header
    if (this.#pageSize !== null && this.#pageSize !== pageSize) {
      throw mismatch(
        place,
        `has pages of ${pageSize} bytes, and the files before it have pages of ${this.#pageSize}`,
      )
    }
    this.#pageSize = pageSize
    const before = this.#known.get(minTxid - 1n)
    if (header.noChecksum || before === undefined || preApplyChecksum === before) return
    throw mismatch(place, otherHistory(minTxid - 1n, before, preApplyChecksum))
  }

  /** Applies a page. */
  page(number: number, data: Uint8Array): void {
    this.#checksums?.set(number, data)
  }

  /** Throws `ERR_REPLICA_MISMATCH` if the file was not made from the database that we have now. */
  end(header: LtxHeader, trailer: LtxTrailer, place: LtxPlace): void {
    if (this.#checksums === null) return
    this.#checksums.truncate(header.commit)
    const { value } = this.#checksums
    if (!header.noChecksum && trailer.postApplyChecksum !== value) {
      throw mismatch(place, otherHistory(header.maxTxid, value, trailer.postApplyChecksum))
    }
    this.#known.set(header.maxTxid, value)
  }
}

function otherHistory(txid: bigint, found: bigint, wanted: bigint): string {
  return `belongs to another history than the files before it: after transaction ${formatTxid(txid)} the database has the checksum ${formatChecksum(found)} by those files, and ${formatChecksum(wanted)} by this one`
}

function mismatch({ path }: LtxPlace, why: string): ReplicaError {
  return new ReplicaError('ERR_REPLICA_MISMATCH', `${path} ${why}`, { path })
}
