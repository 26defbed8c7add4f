import { randomBytes } from 'node:crypto'

/** In ms: how long a saved thing is kept. */
const longest = 7 * 24 * 60 * 60 * 1000

/** In bytes: how much is kept in total by default. The newest is kept in any case. */
export const mostBytes = 2 ** 30

/** How much is kept. */
export interface KeepingLimits {
  /** In bytes, in total; 1 GiB by default. The newest is kept in any case. */
  readonly mostBytes?: number | undefined
}

/** A name for a saved thing: the time in UTC, and random digits, as others may be saved in the same second. */
export function newId(at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')
  return `${time}-${randomBytes(2).toString('hex')}`
}

/** Whether something that was saved at this time is to be removed. */
export function isOld(at: Date): boolean {
  return Date.now() - at.getTime() > longest
}
