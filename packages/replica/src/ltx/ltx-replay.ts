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
 * The state of a database to which LTX files are applied one after the other, as far as it takes to tell whether they belong
 * together: for each file `begin`, `page` for its pages, and `end`.
 *
 * If any of them tracks database checksums, the database's own is kept up, and compared with that before and that after each
 * file that tracks them. The former is known if another file of the chain ends there.
 */
export class LtxReplay {
  #pageSize: number | null
  readonly #checksums: PageChecksums | null
  /** The database's checksum after the transactions with which files of the chain ended. */
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

  /** Whether the pages of files have to be told. */
  get needsPages(): boolean {
    return this.#checksums !== null
  }

  /** The same state, that then changes by itself. */
  clone(): LtxReplay {
    return new LtxReplay(this.#pageSize, this.#checksums?.clone() ?? null, new Map(this.#known))
  }

  /** Throws `ERR_REPLICA_MISMATCH` if a file with this header does not belong after those before. */
  begin(header: LtxHeader, place: LtxPlace): void {
    const { pageSize, minTxid, preApplyChecksum } = header
    if (this.#pageSize !== null && this.#pageSize !== pageSize) {
      throw mismatch(
        place,
        `has pages of ${pageSize} bytes, and those before have ${this.#pageSize}`,
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

  /** Throws `ERR_REPLICA_MISMATCH` if the database is now another than the one that the file was made of. */
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
  return `is of another history than the files before: the database after transaction ${formatTxid(txid)} has the checksum ${formatChecksum(found)} there, and ${formatChecksum(wanted)} in this file`
}

function mismatch({ path }: LtxPlace, why: string): ReplicaError {
  return new ReplicaError('ERR_REPLICA_MISMATCH', `${path} ${why}`, { path })
}
