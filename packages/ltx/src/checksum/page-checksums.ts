import { pageChecksum } from './database-checksum.ts'
import { checksumFlag } from '../codec/header.ts'
import { lockPageNumber } from '../lock-page.ts'

/**
 * The checksum of a whole database. It is kept up to date without the former content of changed pages.
 *
 * It remembers the checksum of each page, in 8 bytes.
 */
export class PageChecksums {
  #pages = new BigUint64Array(1024)
  /** The highest page that was written. */
  #size = 0
  #value = checksumFlag

  /** The checksum of the database as it is now, as {@link DatabaseChecksum} has it. */
  get value(): bigint {
    return this.#value
  }

  /** Sets the content of a new or an existing page. */
  set(number: number, data: Uint8Array): void {
    if (number === lockPageNumber(data.length)) return
    if (number > this.#pages.length) this.#grow(number)
    this.#size = Math.max(this.#size, number)
    this.#replace(number, pageChecksum(number, data))
  }

  /** Drops all pages after the first `pages`. */
  truncate(pages: number): void {
    for (let number = pages + 1; number <= this.#size; number++) this.#replace(number, 0n)
    this.#size = Math.min(this.#size, pages)
  }

  /** An independent copy of this state. */
  clone(): PageChecksums {
    const other = new PageChecksums()
    other.#pages = this.#pages.slice()
    other.#size = this.#size
    other.#value = this.#value
    return other
  }

  #replace(number: number, checksum: bigint): void {
    const before = this.#pages[number - 1] ?? 0n
    if (before === checksum) return
    this.#value = checksumFlag | (this.#value ^ before ^ checksum)
    this.#pages[number - 1] = checksum
  }

  #grow(number: number): void {
    const pages = new BigUint64Array(Math.max(number, this.#pages.length * 2))
    pages.set(this.#pages)
    this.#pages = pages
  }
}
