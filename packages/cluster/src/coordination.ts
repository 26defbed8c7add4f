import type { Free, Place } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import type { LocalState } from '@howdah/known-clusters'
import type { ClusterSubject, LaunchOptions } from './subject.ts'

/** What one operation on a cluster works with, together with all others who use it. */
export interface Coordination {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly subject: ClusterSubject
  readonly place: Place
  readonly free: Free<LaunchOptions>
  /** Looked for when it is first needed. */
  readonly runtime: () => Promise<Runtime>
  readonly state: LocalState
}
