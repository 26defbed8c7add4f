import type { PartialVersion } from '@howdah/runtime'

/** What there is at a data directory. */
export type ClusterStatus =
  | { readonly state: 'missing' }
  | { readonly state: 'stopped'; readonly version: PartialVersion }
  | RunningStatus

/** A server that runs, as it describes itself in `postmaster.pid`. */
export interface RunningStatus {
  readonly state: 'running'
  readonly version: PartialVersion
  readonly pid: number
  /** By the wall clock, which steps. */
  readonly startedAt: Date
  readonly port: number | null
  /** Absolute, or `null` when it has no socket. */
  readonly socketDirectory: string | null
  /** The first address listened on, or `null` when there is no TCP. */
  readonly listenAddress: string | null
  /** Whether howdah started it. One that it did not start, it leaves running. */
  readonly ours: boolean
  /** Whether it stays when its last user leaves. */
  readonly pinned: boolean
}
