import { LtxError } from '../errors.ts'

/** A source of bytes: a stream, an iterable of chunks of any size, or all bytes at once. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array

const nothing: Buffer = Buffer.alloc(0)

/** Reads exact lengths from a source of chunks. It holds only the requested bytes and the last chunk. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #chunk: Buffer = nothing
  #start = 0
  #offset: number
  #ended = false

  /** `offset` is the place in the file at which the source begins. */
  constructor(source: ByteSource, offset = 0) {
    this.#offset = offset
    if (source instanceof Uint8Array) this.#source = [source][Symbol.iterator]()
    else if (Symbol.asyncIterator in source) this.#source = source[Symbol.asyncIterator]()
    else this.#source = source[Symbol.iterator]()
  }

  /** The offset of the next byte in the file. */
  get offset(): number {
    return this.#offset
  }

  /** How many bytes can be taken without waiting. */
  get available(): number {
    return this.#chunk.length - this.#start
  }

  /** Waits until `length` bytes can be taken. Throws `ERR_LTX_TRUNCATED` if the source ends before. */
  async fill(length: number): Promise<void> {
    if (this.available >= length) return
    const pieces: Buffer[] = this.available === 0 ? [] : [this.#chunk.subarray(this.#start)]
    let available = this.available
    while (available < length) {
      const piece = await this.#next()
      if (piece === null) {
        throw new LtxError('ERR_LTX_TRUNCATED', 'the file ends in the middle; fetch it again', {
          offset: this.#offset + available,
        })
      }
      pieces.push(piece)
      available += piece.length
    }
    this.#chunk = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    this.#start = 0
  }

  /** The next bytes, without taking them. They must be available. The result is valid until the next `fill`. */
  peek(length: number): Buffer {
    return this.#chunk.subarray(this.#start, this.#start + length)
  }

  /** Takes the next bytes. They must be available. The result is valid until the next `fill`. */
  take(length: number): Buffer {
    const taken = this.peek(length)
    this.#start += length
    this.#offset += length
    return taken
  }

  /** Whether the source has ended and all bytes are taken. */
  async atEnd(): Promise<boolean> {
    while (this.available === 0) {
      const piece = await this.#next()
      if (piece === null) return true
      this.#chunk = piece
      this.#start = 0
    }
    return false
  }

  /** Closes the source. */
  async close(): Promise<void> {
    this.#chunk = nothing
    this.#start = 0
    if (this.#ended) return
    this.#ended = true
    await this.#source.return?.()
  }

  async #next(): Promise<Buffer | null> {
    if (this.#ended) return null
    const { done, value } = await this.#source.next()
    if (done) {
      this.#ended = true
      return null
    }
    if (!(value instanceof Uint8Array)) {
      throw new LtxError(
        'ERR_LTX_OPTION',
        `the source gave a ${typeof value} instead of bytes; do not set an encoding on the stream`,
      )
    }
    return Buffer.isBuffer(value)
      ? value
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
}
