import type { ChildProcess } from 'node:child_process'
import type { StopSignal } from '../record/server-record.ts'

/** What is to be run as the server. */
export interface LaunchRequest {
  readonly command: string
  readonly args: readonly string[]
  /** The server's working directory. */
  readonly cwd: string
  /** Its whole environment; names that are no identifiers are left out. */
  readonly env: Readonly<Record<string, string>>
  /** What ends it in an orderly way. */
  readonly signal: StopSignal
  /**
   * In whole seconds: if it stands still for so long after that, neither working nor waiting for a disk, it is told to quit,
   * by SIGQUIT. That comes after 30 s in any case. Linux only.
   */
  readonly stillness?: number | undefined
  /**
   * Its standard input, output and error, and its descriptor 3 if it is to have one. Descriptor 4 is its lock; it gets no
   * others.
   */
  readonly stdio: readonly [Stdio, Stdio, Stdio, fourth?: number]
  /** If this process is root: the uid that it runs as; the place's user unless told otherwise. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** It leaves `cwd` by itself, so that its working directory proves nothing. */
  readonly leavesCwd?: boolean | undefined
}

/** A descriptor of this process, or nothing. */
export type Stdio = number | 'ignore'

/** How a subject starts its server, so that a watchdog knows what to stop if the starter dies. */
export interface Launch {
  /**
   * Runs the command detached, in a session of its own, and resolves once it runs. The child that it returns is the
   * server itself, not a shell. A command that cannot be run shows as exit status 126 or 127.
   *
   * Rejects with `ERR_COORDINATE_LAUNCH` if it cannot be brought so far; nothing runs then.
   */
  spawn(request: LaunchRequest): Promise<ChildProcess>
}
