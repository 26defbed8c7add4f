import type { Free, Place } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from './data-directory.ts'
import type { LocalState } from './local-state.ts'
import type { ServerUser } from './server-user.ts'
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
