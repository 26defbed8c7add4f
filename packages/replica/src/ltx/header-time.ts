import type { LtxHeader } from '@howdah/ltx'

/** The largest time that a `Date` can hold, in ms before or after 1970. */
export const furthestTime = 8_640_000_000_000_000n

/** The time of a file's last transaction, by its header; if a `Date` cannot hold that, the nearest possible time. */
export function headerTime({ timestamp }: LtxHeader): Date {
  if (timestamp > furthestTime) return new Date(Number(furthestTime))
  return new Date(Number(timestamp < -furthestTime ? -furthestTime : timestamp))
}
