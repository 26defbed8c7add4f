import type { ProcessIdentity } from '@howdah/store'
import type { Scopes } from './scopes/scopes.ts'

/** An entry of the table: what a process may write. It is plain data. */
export interface Allocation extends ProcessIdentity, Scopes {
  /** The name, which is unique. */
  readonly name: string
  /** The address at which its process can be reached. */
  readonly socket?: string
  /** The name of its parent: the allocation that it is a part of. */
  readonly delegatedFrom?: string
  /** The segment of a store that belongs to it; no two allocations have the same segment. */
  readonly segmentId?: number
  /** A program that knows the token may release or change the allocation. */
  readonly token: string
  /** When it was made, as an ISO 8601 time. */
  readonly createdAt: string
  /** When the reservation ends unless it is adopted, as an ISO 8601 time. Only reservations have it. */
  readonly expiresAt?: string
}

/** Whether this is a reservation that nobody has adopted yet. */
export function isReservation({ expiresAt }: Allocation): boolean {
  return expiresAt !== undefined
}
