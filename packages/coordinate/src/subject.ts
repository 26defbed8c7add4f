import type { Lock, ProcessIdentity } from '@howdah/lock'
import type { Launch } from './launch/launch.ts'

/** Whether something was changed, or was so already. */
export type Outcome = 'modified' | 'unmodified'

/** What {@link Subject.create} is told besides the caller's options. */
export interface Creation {
  /** Destroy it at the end: a subject that appears all at once puts `place.throwAway.mark` in before it appears. */
  readonly throwAway: boolean
  /** The change lock. If it lies on a directory, its descriptor leads there whatever becomes of the path. */
  readonly change: Lock
}

/** What {@link Subject.destroy} is told. */
export interface Ending {
  /** As {@link Creation.change}. */
  readonly change: Lock
}

/**
 * The one thing that is shared: a database cluster, or any server.
 *
 * Its methods are called under the locks that each names, so that they need no locks of their own. What *don't know*
 * means must be thrown, never answered with `false`.
 */
export interface Subject<Options> {
  /**
   * Makes what the change lock lies on, if that is a directory, and throws if the subject may not lie there. Called before
   * the change lock is taken, if the subject does not exist and need not; so it must bear others doing the same at once.
   */
  prepare?(): Promise<void>
  /**
   * Brings it into being, with all that the use, watchdog and server locks lie on. Under change, before use is taken. If
   * it is missing, the subject always exists once its use file does, and joining makes those files.
   */
  create?(options: Options, creation: Creation): Promise<Outcome>
  /**
   * Starts its server by `launch.spawn`, and waits until it can be used. Under change and use, and only while nothing
   * runs. If it throws, the caller stops what it launched.
   */
  start(options: Options, launch: Launch): Promise<Outcome>
  /** Stops the server and waits until it is gone. Under change and use, both exclusively. */
  stop(): Promise<Outcome>
  /** Stops the server and removes the subject. Under change and use, both exclusively. */
  destroy(ending: Ending): Promise<Outcome>
  exists(): Promise<boolean>
  /** Whether its server runs **and can be used**; one that is coming up or going down is not running. */
  running(): Promise<boolean>
  /** The server's process, whether we or others started it, and whether or not it can be used yet. */
  process(): Promise<ProcessIdentity | null>
}
