import { randomBytes } from 'node:crypto'

/**
 * The name of an entry: 16 bytes, the time of its creation in nanoseconds since 1970 (8 bytes, big-endian) and 8 random
 * bytes. So the texts of ids sort by age.
 */
export class EntryId {
  /** 32 lower-case hexadecimal digits. */
  readonly text: string
  static #last = 0n

  private constructor(text: string) {
    this.text = text
  }

  /** Creates an id. The ids of one process sort in the order of their creation. */
  static create(): EntryId {
    const now = BigInt(Date.now()) * 1_000_000n
    EntryId.#last = now > EntryId.#last ? now : EntryId.#last + 1n
    const bytes = randomBytes(16)
    bytes.writeBigUInt64BE(EntryId.#last)
    return new EntryId(bytes.toString('hex'))
  }

  /** The id that a text represents; `null` if the text is not 32 lower-case hexadecimal digits. */
  static parse(text: string): EntryId | null {
    return /^[0-9a-f]{32}$/.test(text) ? new EntryId(text) : null
  }

  /** The first 8 digits of the random half, for people. */
  get short(): string {
    return this.text.slice(16, 24)
  }

  /** The time of creation in nanoseconds since 1970, by the clock of the machine. */
  get nanoseconds(): bigint {
    return BigInt(`0x${this.text.slice(0, 16)}`)
  }

  /** The time of creation, to the millisecond. */
  get createdAt(): Date {
    return new Date(Number(this.nanoseconds / 1_000_000n))
  }

  /** Whether the random half begins with these digits. */
  matches(prefix: string): boolean {
    return this.text.startsWith(prefix, 16)
  }

  /** The text. */
  toString(): string {
    return this.text
  }

  /** The text. */
  toJSON(): string {
    return this.text
  }
}
