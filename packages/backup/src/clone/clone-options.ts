import type { WaitingOptions } from '@howdah/cluster'
import type { WorkOptions } from '../work-options.ts'

/** How a cluster is cloned. */
export interface CloneOptions extends WaitingOptions, Pick<WorkOptions, 'signal' | 'onProgress'> {
  /** The data directory for the copy: a new or an empty one. */
  to: string
}
