import { Free, type Paths } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import {
  chooseServerUser,
  coordinationPaths,
  type DataDirectory,
  readVersion,
  type ServerUser,
} from '@howdah/data-directory'
import { LocalState } from '@howdah/known-clusters'
import type { RunOptions } from './running/run-options.ts'
import { warningOf } from './settings/mode.ts'
import { ClusterSubject, type LaunchOptions } from './subject.ts'

/** The context of one operation on a cluster that others may use at the same time. */
export interface Coordination {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly subject: ClusterSubject
  readonly paths: Paths
  readonly free: Free<LaunchOptions>
  /** Finds the runtime at the first call. */
  readonly runtime: () => Promise<Runtime>
  readonly state: LocalState
}

/** The cluster, and what its options say about each operation. */
interface Coordinated extends Pick<Coordination, 'directory' | 'runtime'> {
  readonly runAs: string | undefined
  /** A directory around it that is never made: see `ClusterOptions`. */
  readonly within: string | undefined
  /** Tells the user something. */
  readonly tell: (message: string) => void
  /** Whether the caller listens to what is told. */
  readonly isHeard: boolean
}

/** What one operation adds to the options of the cluster. */
export interface CoordinationOptions extends Pick<RunOptions, 'throwAway' | 'mode'> {
  /** The user to run a new server as, if nothing else names one. */
  readonly like?: ServerUser | null | undefined
}

/** Makes the context of one operation. Throws if this process may not look into the directory. */
export async function coordinate(
  { directory, runtime, runAs, within, tell, isHeard }: Coordinated,
  { throwAway = false, mode, like = null }: CoordinationOptions,
): Promise<Coordination> {
  await readVersion(directory)
  const user = await chooseServerUser(directory.path, runAs, like)
  if (user !== null && user.notice !== null) tell(user.notice)
  if (mode === 'fast') tell(warningOf(directory.path))
  const state = new LocalState(tell, isHeard ? tell : warnByNode)
  const subject = new ClusterSubject(directory, user, runtime, state, within)
  const isThrowAway = throwAway || (await directory.has(directory.throwAway))
  const paths = coordinationPaths(directory, user, isThrowAway)
  return { directory, user, subject, paths, free: new Free(subject, paths), runtime, state }
}

function warnByNode(message: string): void {
  process.emitWarning(message, { type: 'HowdahWarning' })
}
