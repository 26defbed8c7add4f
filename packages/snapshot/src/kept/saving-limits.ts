/** How long saved data is kept, in ms. */
const longest = 7 * 24 * 60 * 60 * 1000

/** How much saved data is kept in total by default, in bytes. The newest item is kept in any case. */
export const mostBytes = 2 ** 30

/** The limits of saved data. */
export interface SavingLimits {
  /** The total size in bytes; 1 GiB by default. The newest item is kept in any case. */
  readonly mostBytes?: number | undefined
}

/** Whether an item that was saved at this time must be removed. */
export function isOld(at: Date): boolean {
  return Date.now() - at.getTime() > longest
}
