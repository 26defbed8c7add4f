/** How bodies are written: JSON unless a store is told otherwise. Both directions must be synchronous. */
export interface BodyCodec {
  /** The bytes of a value, which is an object of strings, numbers, `null`, objects, and the state. */
  encode(value: unknown): Uint8Array
  /** The value. Throws if the bytes are none. */
  decode(bytes: Uint8Array): unknown
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8. */
export const jsonCodec: BodyCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes): unknown => JSON.parse(utf8.decode(bytes)),
}
