import type { LtxHeader } from '@howdah/ltx'

/** The largest time that a `Date` holds, in ms, both ways from 1970. */
export const furthestTime = 8_640_000_000_000_000n

/** When a file's last transaction was made, by its header; the nearest time that a `Date` holds if that is beyond. */
export function headerTime({ timestamp }: LtxHeader): Date {
  if (timestamp > furthestTime) return new Date(Number(furthestTime))
  return new Date(Number(timestamp < -furthestTime ? -furthestTime : timestamp))
}
