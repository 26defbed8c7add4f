import type { Lock, ProcessIdentity } from '@howdah/lock'
import type { Launch } from './launch/launch.ts'

/** Whether a call changed something, or nothing had to be changed. */
export type Outcome = 'modified' | 'unmodified'

/** What {@link Subject.create} gets besides the caller's options. */
export interface Creation {
  /**
   * The subject is destroyed after its last user. If the subject appears by one rename, it must contain
   * `paths.throwAway.mark` before that.
   */
  readonly throwAway: boolean
  /** The change lock. If it locks a directory, its descriptor leads to that directory, whatever happens to the path. */
  readonly change: Lock
}

/** What {@link Subject.destroy} gets. */
export interface Ending {
  /** As {@link Creation.change}. */
  readonly change: Lock
}

/**
 * The thing that processes share: a database cluster, or any other server.
 *
 * Each method is called under the locks that its description names, so it needs no locks of its own. If a method cannot find
 * out an answer, it must throw and not answer `false`.
 */
export interface Subject<Options> {
  /**
   * Makes the directory that the change lock locks, and throws if the subject may not lie there. It is called before the
   * change lock is taken, if the subject does not exist and need not exist. So several processes may run it at the same time.
   */
  prepare?(): Promise<void>
  /**
   * Creates the subject, with the files of the use, watchdog and server locks. Called under change, before use is taken.
   * Without this method the subject exists as soon as its use file does, and joining makes those files.
   */
  create?(options: Options, creation: Creation): Promise<Outcome>
  /**
   * Starts the server by `launch.spawn`, and waits until it can be used. Called under change and use, and only while no
   * server runs. If it throws, the caller stops the launched process.
   */
  start(options: Options, launch: Launch): Promise<Outcome>
  /** Stops the server and waits until it is gone. Called under change and use, both exclusive. */
  stop(): Promise<Outcome>
  /** Stops the server and removes the subject. Called under change and use, both exclusive. */
  destroy(ending: Ending): Promise<Outcome>
  /** Whether the subject exists. */
  exists(): Promise<boolean>
  /** Whether the server runs **and can be used**. A server that is starting or stopping does not count. */
  running(): Promise<boolean>
  /** The process of the server, even if others started it, and even if it cannot be used yet. */
  process(): Promise<ProcessIdentity | null>
}
