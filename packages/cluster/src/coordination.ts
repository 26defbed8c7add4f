import type { Free, Place } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import type { LocalState } from '@howdah/known-clusters'
import type { ClusterSubject, LaunchOptions } from './subject.ts'

/** The context of one operation on a cluster that others may use at the same time. */
export interface Coordination {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly subject: ClusterSubject
  readonly place: Place
  readonly free: Free<LaunchOptions>
  /** Finds the runtime at the first call. */
  readonly runtime: () => Promise<Runtime>
  readonly state: LocalState
}
