/** A state of a lease, as it is stored in files and in S3. */
export interface LeaseRecord {
  readonly generation: bigint
  /** Milliseconds since 1970; 0 if the lease was released. */
  readonly expiresAt: number
  readonly owner: string
  /** Identifies the holding; `null` in records that other programs wrote without a nonce. */
  readonly nonce: string | null
}

/** The end that a release writes. It is in the past by every clock, however wrong. */
export const released = 0

/** Encodes a record as compact JSON, with the generation as a number of any size and the end as an RFC 3339 time. */
export function encodeRecord(record: LeaseRecord): Buffer {
  const rest = JSON.stringify({
    expires_at: new Date(record.expiresAt).toISOString(),
    owner: record.owner,
    nonce: record.nonce,
  })
  return Buffer.from(`{"generation":${record.generation},${rest.slice(1)}`)
}

/** Reads a record. Throws an `Error` that says what is wrong with it. Unknown fields and a missing nonce are accepted. */
export function decodeRecord(bytes: Uint8Array): LeaseRecord {
  if (bytes.length === 0) throw new Error('it is empty')
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('it is not a JSON object')
  }
  const { generation, expires_at, owner, nonce = null } = value as Record<string, unknown>
  if (typeof generation !== 'number' || !Number.isInteger(generation) || generation < 0) {
    throw new Error('its generation is not a whole number')
  }
  const expiresAt = typeof expires_at === 'string' ? parseTime(expires_at) : Number.NaN
  if (Number.isNaN(expiresAt)) throw new Error('its expires_at is not an RFC 3339 time')
  if (typeof owner !== 'string') throw new Error('its owner is not a text')
  if (nonce !== null && typeof nonce !== 'string') throw new Error('its nonce is not a text')
  return { generation: exact(generation, text), expiresAt, owner, nonce }
}

/**
 * Reads the exact generation from the text, because JSON.parse rounds numbers above 2^53. Quotes inside a string are
 * escaped, so the pattern matches only the field.
 */
function exact(generation: number, text: string): bigint {
  if (Number.isSafeInteger(generation)) return BigInt(generation)
  const digits = /"generation"\s*:\s*(\d+)\s*[,}]/.exec(text)?.[1]
  if (digits === undefined) throw new Error('its generation is not a whole number')
  return BigInt(digits)
}

function parseTime(text: string): number {
  return /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text.toUpperCase())
    : Number.NaN
}
