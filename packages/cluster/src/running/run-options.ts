import type { AsOptions } from '../connecting/as-url.ts'
import type { Mode } from '../settings/mode.ts'
import type { LaunchOptions } from '../subject.ts'
import type { WaitingOptions } from '../waiting-options.ts'

/** How to join a cluster. */
export interface RunOptions extends LaunchOptions, WaitingOptions, AsOptions {
  /** What to do if this user is the last to leave; `stop` by default. */
  atEnd?: 'stop' | 'destroy' | undefined
  /** If this call creates the cluster, the cluster is removed when its last user leaves, even if that user is killed. */
  throwAway?: boolean | undefined
  /** The server stays without users, until it is stopped. */
  pinned?: boolean | undefined
  /** How long the server stays after its last user, in ms, so that the next user finds it running. */
  linger?: number | undefined
  /**
   * The server ends within a second when others remove the data directory, even if it is used or pinned. Use it for a cluster
   * in a git worktree, which may be removed at any time.
   */
  perishes?: boolean | undefined
  /** Throw `ERR_CLUSTER_MISSING` instead of creating a cluster. */
  ifExists?: boolean | undefined
  /** Makes the cluster fast or safe, permanently and for all its users; see `Server.setMode`. */
  mode?: Mode | undefined
  /**
   * @internal For a caller that connects to the running server by itself: whether it was admitted. If so, the server is not
   * asked again. Such a caller is in a hurry, so it is listed a moment later.
   */
  admits?: (() => Promise<boolean>) | undefined
}
