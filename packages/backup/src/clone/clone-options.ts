import type { WaitingOptions } from '@howdah/cluster'
import type { Progress } from '../backup.ts'

/** How a cluster is cloned. */
export interface CloneOptions extends WaitingOptions {
  /** The data directory for the copy: a new or an empty one. */
  to: string
  /** Ends it; the call then rejects with the signal's reason, and what it had made is removed. */
  signal?: AbortSignal | undefined
  /** Told how far it is, some times a second. */
  onProgress?: ((progress: Progress) => void) | undefined
}
