import type { ConstraintLike, Strategy } from '@howdah/runtime'
import type { WaitingOptions } from './waiting-options.ts'

/** Options of a cluster. Nothing is read or started before a method is called. */
export interface ClusterOptions {
  /** Where to look for PostgreSQL; by default on PATH, in the usual places, and among the installed and bundled runtimes. */
  strategy?: Strategy | undefined
  /**
   * Which PostgreSQL to use: `'18'`, `'16.3'`, a directory such as `'/opt/postgresql'`, or any other constraint of
   * `@howdah/runtime`. It must also fit the version of an existing cluster.
   */
  runtime?: ConstraintLike | undefined
  /** For errors: names the setting that `runtime` comes from, such as `"version" in /app/howdah.json:2`. */
  runtimePlace?: (() => string) | undefined
  /** As root: the operating system's user to run the server as. */
  runAs?: string | undefined
  /**
   * An absolute path around the data directory that has to be there. It is never made, as directories above the data directory
   * are otherwise: for a git worktree, which somebody may remove at any time.
   */
  within?: string | undefined
  /** Called with messages for the user. */
  onNotice?: ((message: string) => void) | undefined
}

/** How to stop or destroy a cluster. */
export interface EndOptions extends WaitingOptions {
  /** Do it even if others use the cluster, who lose their connections, or if howdah did not make it. */
  force?: boolean | undefined
  /** In ms: how long the server may take to shut down; 60,000 by default. */
  timeout?: number | undefined
  /** Ends the wait: the call then rejects with the signal's reason. A server that is shutting down still does so. */
  signal?: AbortSignal | undefined
  /** PostgreSQL's shutdown mode: `fast` by default; `immediate` leaves recovery to the next start. */
  shutdown?: 'fast' | 'immediate' | undefined
}

/** How to destroy a cluster. */
export interface DestroyOptions extends EndOptions {
  /**
   * Move the data directory, as a complete, stopped cluster, to this path on the same file system instead of removing it. The
   * parent of the path must exist. Throws errors of the system, such as `EXDEV` and, for a mount point, `EBUSY`.
   */
  moveTo?: string | undefined
}
