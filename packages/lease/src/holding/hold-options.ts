import type { LeaseError } from '../errors.ts'
import type { Clocks } from './clocks.ts'
import type { Listening } from './held.ts'
import type { Times } from './pace.ts'

/** How to wait for a lease and how to keep it. All times are in milliseconds. */
export interface HoldOptions extends Listening, Times {
  /** How long to wait for the lease; 0 means one try; for ever by default. */
  readonly timeout?: number | undefined
  /** Ends the wait. It does not affect an acquired lease. */
  readonly signal?: AbortSignal | undefined
  /** Called when the wait begins, and when another holder has come: with the refusal, which names the holder. */
  readonly onWait?: ((refusal: LeaseError) => void) | undefined
  /** Other clocks, for tests. */
  readonly clocks?: Clocks | undefined
}
