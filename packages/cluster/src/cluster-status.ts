import type { PartialVersion } from '@howdah/runtime'

/** The state of a data directory. */
export type ClusterStatus =
  | { readonly state: 'missing' }
  | { readonly state: 'stopped'; readonly version: PartialVersion }
  | RunningStatus

/** A running server, as it describes itself in `postmaster.pid`. */
export interface RunningStatus {
  readonly state: 'running'
  readonly version: PartialVersion
  readonly pid: number
  /** By the wall clock, which may be set. */
  readonly startedAt: Date
  readonly port: number | null
  /** The absolute path; `null` if the server has no socket. */
  readonly socketDirectory: string | null
  /** The first address that the server listens on; `null` without TCP. */
  readonly listenAddress: string | null
  /** Whether howdah started the server. Howdah leaves other servers running. */
  readonly ours: boolean
  /** Whether the server stays when its last user leaves. */
  readonly pinned: boolean
}
