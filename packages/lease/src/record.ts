/** One state of a lease, as file and S3 store it. */
export interface LeaseRecord {
  readonly generation: bigint
  /** Milliseconds since 1970; 0 if the lease was released. */
  readonly expiresAt: number
  readonly owner: string
  /** Tells a holding from every other; `null` in records that others wrote without one. */
  readonly nonce: string | null
}

/** The end that a release writes: over by every clock, however wrong it goes. */
export const released = 0

/** The record as compact JSON, the generation as a number however big, and the expiry by RFC 3339. */
export function encodeRecord(record: LeaseRecord): Buffer {
  const rest = JSON.stringify({
    expires_at: new Date(record.expiresAt).toISOString(),
    owner: record.owner,
    nonce: record.nonce,
  })
  return Buffer.from(`{"generation":${record.generation},${rest.slice(1)}`)
}

/** Reads a record. Throws an `Error` that says what is wrong with it. Unknown fields, and a missing nonce, are let pass. */
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

/** JSON.parse rounds what is above 2^53. Inside a string the quotes would be escaped. */
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
