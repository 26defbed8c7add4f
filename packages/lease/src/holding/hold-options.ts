import type { Clocks } from './clocks.ts'
import type { Listening } from './held.ts'
import type { Times } from './pace.ts'

/** How a lease is waited for and kept. All times are in milliseconds. */
export interface HoldOptions extends Listening, Times {
  /** How long to wait for it: 0 for one try, for ever by default. */
  readonly timeout?: number | undefined
  /** Ends the waiting. The lease, once had, is not touched by it. */
  readonly signal?: AbortSignal | undefined
  /** For tests. */
  readonly clocks?: Clocks | undefined
}
