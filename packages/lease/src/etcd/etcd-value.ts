/** The value of a lease's key. The end of the lease is known to the server. */
export interface EtcdValue {
  readonly owner: string
  /** Identifies this holding. */
  readonly nonce: string
  /** Whether nobody holds the lease. */
  readonly released: boolean
  /** The generation that was released. */
  readonly generation?: bigint
}

export function encodeValue({ owner, nonce, released, generation }: EtcdValue): Buffer {
  const tail = generation === undefined ? {} : { generation: `${generation}` }
  return Buffer.from(JSON.stringify({ owner, nonce, released, ...tail }))
}

/** Reads a value. Throws an `Error` that says what is wrong with it. */
export function decodeValue(bytes: Uint8Array): EtcdValue {
  if (bytes.length === 0) throw new Error('it is empty')
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (typeof value !== 'object' || value === null) throw new Error('it is not a JSON object')
  const { owner, nonce, released, generation } = value as Record<string, unknown>
  if (typeof owner !== 'string' || typeof nonce !== 'string' || typeof released !== 'boolean') {
    throw new Error('it lacks an owner, a nonce, or whether it was released')
  }
  if (generation === undefined) return { owner, nonce, released }
  if (typeof generation !== 'string' || !/^\d+$/.test(generation)) {
    throw new Error('its generation is not a whole number')
  }
  return { owner, nonce, released, generation: BigInt(generation) }
}
