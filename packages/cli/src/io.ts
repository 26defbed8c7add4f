import type { Readable, Writable } from 'node:stream'

/** A stream that may be a file descriptor of this process, and a terminal. */
interface Descriptor {
  readonly fd?: number
  readonly isTTY?: boolean
}

/** Where signals come from: `process`, or an `EventEmitter` in its place. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

/** All that the commands have to do with the process that they run in. */
export interface Io {
  /** Given to the commands that `exec` and `shell` run when it has an `fd`, and piped into them otherwise. */
  readonly stdin: Readable & Descriptor
  /** Results. */
  readonly stdout: Writable & Descriptor & { readonly columns?: number }
  /** Messages and progress. */
  readonly stderr: Writable & Descriptor & { readonly columns?: number }
  /** Whether those three are this process's own, so that programs simply inherit them. */
  readonly inherit?: boolean
  /** Further descriptors, from 3 on, that the commands of `exec`, `lock` and `lease` get under the same numbers; none by default. */
  readonly descriptors?: readonly number[]
  readonly env: NodeJS.ProcessEnv
  /** The directory that paths are relative to, and that commands run in. */
  readonly cwd: string
  readonly signals: SignalSource
  /** The `import.meta.url` of the application: the bundled PostgreSQL is looked for among its dependencies. */
  readonly from: string
  /** What `--version` prints. */
  readonly version: string
  /** Ends the process at once; called only when a second Ctrl-C asks for it. Usually `process.exit`. */
  exit(status: number): void
}
