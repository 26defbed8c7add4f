import type { WatchdogKind } from '../watchdog/watchdog.ts'
import type { WaitOptions } from './waiting.ts'

/** How to start the server, if joining starts it. */
export interface StartOptions<Options> extends WaitOptions {
  /** Passed to the subject's `create` and `start`. */
  readonly start: Options
  /** Destroy the subject after its last user. It only has an effect if this call creates the subject. */
  readonly throwAway?: boolean | undefined
  /** How many ms the server stays after its last user. The longest time that any user has asked for counts. */
  readonly linger?: number | undefined
  /**
   * Pin the server: it does not stop when its last user leaves. A server that is started by this call is pinned from its
   * first instant.
   */
  readonly pinned?: boolean | undefined
  /**
   * Others may remove the subject's files at any time, as `git worktree remove` does. The server then ends within a second,
   * even if it is used or pinned. This holds for as long as the server runs.
   */
  readonly perishes?: boolean | undefined
  /** The kind of watchdog; by default a shell, if that works. */
  readonly watchdog?: WatchdogKind | undefined
}

/** How to join. */
export interface JoinOptions<Options> extends StartOptions<Options> {
  /** Throw `ERR_COORDINATE_DOES_NOT_EXIST` instead of creating the subject. */
  readonly ifExists?: boolean | undefined
}
