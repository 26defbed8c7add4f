/** The largest size of an unsigned 64-bit integer as a uvarint, in bytes. */
export const uvarintBound = 10

/** Writes an integer as a uvarint (Go's encoding/binary), seven bits a byte, lowest first; returns the offset of its end. */
export function writeUvarint(target: Buffer, value: number, at: number): number {
  let rest = value
  let place = at
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[place++] = (rest % 0x80) | 0x80
  target[place++] = rest
  return place
}

/**
 * Reads a uvarint, and gives its value and the offset of its end; `null` if it is cut short, larger than
 * `Number.MAX_SAFE_INTEGER`, or longer than necessary.
 */
export function readUvarint(source: Uint8Array, at: number): [value: number, end: number] | null {
  let value = 0
  let scale = 1
  for (let place = at; place < at + 8; place++) {
    const byte = source[place]
    if (byte === undefined) return null
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      const shortest = byte !== 0 || place === at
      return shortest && Number.isSafeInteger(value) ? [value, place + 1] : null
    }
    scale *= 0x80
  }
  return null
}
