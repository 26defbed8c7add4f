import type { ChildProcess } from 'node:child_process'
import type { StopSignal } from '../record/server-record.ts'

/** The command to run as the server. */
export interface LaunchRequest {
  readonly command: string
  readonly args: readonly string[]
  /** The server's working directory. */
  readonly cwd: string
  /** The whole environment of the server. Variables with names that are no identifiers are left out. */
  readonly env: Readonly<Record<string, string>>
  /** The signal that ends the server in an orderly way. */
  readonly signal: StopSignal
  /**
   * In ms: if the server stands still for so long after that signal, neither working nor waiting for a disk, it gets
   * SIGQUIT. Whole seconds count. It gets SIGQUIT after 30 s in any case. Linux only.
   */
  readonly stillness?: number | undefined
  /**
   * The server's standard input, output and error, and optionally its descriptor 3. Descriptor 4 is its lock. It gets no
   * other descriptors.
   */
  readonly stdio: readonly [Stdio, Stdio, Stdio, fourth?: number]
  /** If this process is root: the uid of the server; by default that of the paths. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** The server reaches its files by the path of this directory, which is that of the use file, and so must not be moved. */
  readonly boundTo?: string | undefined
  /** The server changes its working directory by itself, so its working directory does not identify it. */
  readonly leavesCwd?: boolean | undefined
}

/** A descriptor of this process, or nothing. */
export type Stdio = number | 'ignore'

/** Starts the server of a subject, so that a watchdog knows which process to stop if the starter dies. */
export interface Launch {
  /**
   * Runs the command detached, in a session of its own, and resolves once it runs. The returned child is the server itself,
   * not a shell. If the command cannot be run, the exit status is 126 or 127.
   *
   * Rejects with `ERR_COORDINATE_LAUNCH` if the process cannot be started; nothing runs then.
   */
  spawn(request: LaunchRequest): Promise<ChildProcess>
}
