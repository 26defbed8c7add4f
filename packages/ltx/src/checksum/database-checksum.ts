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
 * The checksum of a whole database, kept up to date page by page, in any order.
 *
 * It is the exclusive or of all page checksums. When a page changes, remove its old content and add the new one. The lock
 * page does not count, because SQLite never writes it.
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

  /** Adds a page, or the new content of a page that was removed. */
  add(number: number, data: Uint8Array): this {
    if (number !== lockPageNumber(data.length)) {
      this.#value = checksumFlag | (this.#value ^ pageChecksum(number, data))
    }
    return this
  }

  /** Removes a page by the content with which it was added. */
  remove(number: number, data: Uint8Array): this {
    return this.add(number, data)
  }
}
