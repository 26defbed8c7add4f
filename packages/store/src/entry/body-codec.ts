/** How the bodies of entries are encoded; a store uses JSON by default. Both functions must be synchronous. */
export interface BodyCodec {
  /** Encodes a value: an object of strings, numbers, `null`, objects, and the state. */
  encode(value: unknown): Uint8Array
  /** Decodes a value. Throws if the bytes are invalid. */
  decode(bytes: Uint8Array): unknown
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8. */
export const jsonCodec: BodyCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes): unknown => JSON.parse(utf8.decode(bytes)),
}
