import { randomBytes } from 'node:crypto'
import { longestKept } from '@howdah/known-clusters'

/** How much saved data is kept in total by default, in bytes. The newest item is kept in any case. */
export const mostBytes = 2 ** 30

/** The limits of saved data. */
export interface SavingLimits {
  /** The total size in bytes; 1 GiB by default. The newest item is kept in any case. */
  readonly mostBytes?: number | undefined
}

/** A name for a saved item: the time in UTC, and random digits, because several items may be saved in the same second. */
export function newId(at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')
  return `${time}-${randomBytes(2).toString('hex')}`
}

/** Whether an item that was saved at this time must be removed. */
export function isOld(at: Date): boolean {
  return Date.now() - at.getTime() > longestKept
}
