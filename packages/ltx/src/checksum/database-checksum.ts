import { Crc64 } from './crc64.ts'
import { checksumFlag } from '../codec/header.ts'
import { lockPageNumber } from '../lock-page.ts'

const numberBytes = Buffer.alloc(4)

/** The checksum of one page: its number and its data, with bit 63 set. */
export function pageChecksum(number: number, data: Uint8Array): bigint {
  numberBytes.writeUInt32BE(number)
  return checksumFlag | new Crc64().update(numberBytes).update(data).value
}

/**
 * The checksum of a whole database, kept up page by page, in whatever order.
 *
 * It is the exclusive or of all page checksums, so a page that changes is removed as it was and added as it is. The lock
 * page, which SQLite never writes, does not count.
 */
export class DatabaseChecksum {
  #value: bigint

  /** Starts with an empty database, or with the checksum of a known state. */
  constructor(value: bigint = checksumFlag) {
    this.#value = checksumFlag | value
  }

  /** The checksum of the database as it is now. */
  get value(): bigint {
    return this.#value
  }

  /** Takes a page in that is new, or new in this state. */
  add(number: number, data: Uint8Array): this {
    if (number !== lockPageNumber(data.length)) {
      this.#value = checksumFlag | (this.#value ^ pageChecksum(number, data))
    }
    return this
  }

  /** Takes a page out, as it was when it was added: it is gone, or about to be added anew. */
  remove(number: number, data: Uint8Array): this {
    return this.add(number, data)
  }
}
