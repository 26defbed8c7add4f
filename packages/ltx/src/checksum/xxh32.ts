const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

/** A running xxHash32 with seed 0, the checksum of LZ4 frames (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). */
export class Xxh32 {
  #a = (prime1 + prime2) | 0
  #b = prime2
  #c = 0
  #d = -prime1 | 0
  #length = 0
  /** The rest of the earlier data, less than 16 bytes. */
  readonly #rest = Buffer.alloc(16)
  #resting = 0

  /** Takes more data in. */
  update(data: Uint8Array): this {
    this.#length += data.length
    let at = 0
    if (this.#resting > 0) {
      at = Math.min(16 - this.#resting, data.length)
      this.#rest.set(data.subarray(0, at), this.#resting)
      this.#resting += at
      if (this.#resting < 16) return this
      this.#stripes(this.#rest, 0)
      this.#resting = 0
    }
    at = this.#stripes(data, at)
    this.#rest.set(data.subarray(at))
    this.#resting = data.length - at
    return this
  }

  /** The hash of the data so far, an unsigned 32-bit integer. */
  get value(): number {
    let hash =
      this.#length < 16
        ? prime5
        : rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18)
    hash = (hash + this.#length) | 0
    let at = 0
    for (; at + 4 <= this.#resting; at += 4) {
      hash = (hash + Math.imul(this.#rest.readUInt32LE(at), prime3)) | 0
      hash = Math.imul(rotate(hash, 17), prime4)
    }
    for (; at < this.#resting; at++) {
      hash = (hash + Math.imul(this.#rest[at] ?? 0, prime5)) | 0
      hash = Math.imul(rotate(hash, 11), prime1)
    }
    hash = Math.imul(hash ^ (hash >>> 15), prime2)
    hash = Math.imul(hash ^ (hash >>> 13), prime3)
    return (hash ^ (hash >>> 16)) >>> 0
  }

  /** Processes the whole stripes of 16 bytes from an offset on, and returns their end. */
  #stripes(data: Uint8Array, from: number): number {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d]
    let at = from
    for (const last = data.length - 16; at <= last; at += 16) {
      a = round(a, view.getUint32(at, true))
      b = round(b, view.getUint32(at + 4, true))
      c = round(c, view.getUint32(at + 8, true))
      d = round(d, view.getUint32(at + 12, true))
    }
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
    return at
  }
}

/** The xxHash32 of the data with seed 0, an unsigned 32-bit integer. */
export function xxh32(data: Uint8Array): number {
  return new Xxh32().update(data).value
}

function round(accumulator: number, lane: number): number {
  return Math.imul(rotate((accumulator + Math.imul(lane, prime2)) | 0, 13), prime1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
