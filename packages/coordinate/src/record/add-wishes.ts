import type { ServerRecord } from './server-record.ts'

/** How a user wants the server to be treated after its last user. */
export interface Wishes {
  /** In ms. */
  readonly linger?: number | undefined
  readonly pinned?: boolean | undefined
  readonly perishes?: boolean | undefined
}

/** Adds the wishes of a user to those on record, if there are any: the longest time counts, and nothing is taken back. */
export function addWishes(
  record: ServerRecord | null,
  { linger = 0, pinned = false, perishes = false }: Wishes,
): Pick<ServerRecord, 'linger' | 'pinned' | 'perishes'> {
  return {
    linger: Math.max(record?.linger ?? 0, Math.round(linger)),
    pinned: pinned || record?.pinned === true,
    perishes: perishes || record?.perishes === true,
  }
}
