import { type RegisterOptions } from './proposal.ts'

/** Options of {@link Registry.delegate}. */
export interface DelegateOptions extends RegisterOptions {
  /** Milliseconds until the reservation ends unless it is adopted; 60,000 unless told otherwise. */
  lifetime?: number | undefined
  /** The parent's token. If it is given, the parent must be the allocation with this token. */
  parentToken?: string | undefined
}
