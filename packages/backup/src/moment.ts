/** A point in time with PostgreSQL's precision. */
export interface Moment {
  /** Since 1970. */
  readonly microseconds: bigint
  /** In UTC, in a form that PostgreSQL reads. */
  readonly text: string
}

/** Matches a date, time and time zone in the form of RFC 3339 or of PostgreSQL's `timestamptz`. */
const pattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:[Zz]|([+-]\d\d)(?::?(\d\d))?)$/

/** Parses a point in time; `null` if the text is invalid or has no time zone. */
export function parseMoment(time: Date | string): Moment | null {
  if (typeof time !== 'string') {
    return Number.isNaN(time.getTime()) ? null : moment(BigInt(time.getTime()) * 1000n)
  }
  const [match, day = '', clock, fraction = '', hours = '+00', minutes = '00'] =
    pattern.exec(time.trim()) ?? []
  // The parser would read February 31 as a day in March.
  const midnight = new Date(`${day}T00:00:00Z`)
  if (match === undefined || Number.isNaN(midnight.getTime())) return null
  if (!midnight.toISOString().startsWith(day)) return null
  const second = new Date(`${day}T${clock}${hours}:${minutes}`)
  if (Number.isNaN(second.getTime())) return null
  return moment(BigInt(second.getTime()) * 1000n + BigInt(fraction.padEnd(6, '0')))
}

function moment(microseconds: bigint): Moment {
  const fraction = BigInt.asUintN(64, ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const second = new Date(Number((microseconds - fraction) / 1000n))
  const text = second.toISOString().replace('T', ' ').slice(0, 19)
  return { microseconds, text: `${text}.${String(fraction).padStart(6, '0')}+00` }
}
