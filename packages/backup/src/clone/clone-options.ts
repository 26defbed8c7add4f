import type { WaitingOptions } from '@howdah/cluster'
import type { WorkOptions } from '../work-options.ts'

/** How to clone a cluster. */
export interface CloneOptions extends WaitingOptions, Pick<WorkOptions, 'signal' | 'onProgress'> {
  /** The data directory for the copy: a new or an empty one. */
  to: string
  /** A directory around `to` that must exist and is never made; see `ClusterOptions` of `@howdah/cluster`. */
  within?: string | undefined
}
