import type { ProcessIdentity } from '@howdah/store'
import type { Scopes } from './scopes/scopes.ts'

/** What a process may write, as the table has it. Plain data. */
export interface Allocation extends ProcessIdentity, Scopes {
  /** What it is called; no two have the same name. */
  readonly name: string
  /** Where its process can be reached. */
  readonly socket?: string
  /** The name of the allocation that it is a part of. */
  readonly delegatedFrom?: string
  /** The segment of a store that it has; no two have the same. */
  readonly segmentId?: number
  /** Who knows it may release or change the allocation. */
  readonly token: string
  /** When it was made, as an ISO 8601 time. */
  readonly createdAt: string
  /** When it ends unless it is adopted, as an ISO 8601 time: only reservations have it. */
  readonly expiresAt?: string
}

/** Whether nobody has adopted it yet. */
export function isReservation({ expiresAt }: Allocation): boolean {
  return expiresAt !== undefined
}
