import type { Readable, Writable } from 'node:stream'

/** A stream that may be a file descriptor of this process, and a terminal. */
interface Descriptor {
  readonly fd?: number
  readonly isTTY?: boolean
}

/** The source of signals: `process`, or an `EventEmitter` in its place. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

/** Everything that the commands use of the process in which they run. */
export interface Io {
  /**
   * The standard input. If it has an `fd`, the commands of `exec` and `shell` inherit it; otherwise it is piped into them.
   */
  readonly stdin: Readable & Descriptor
  /** Results. */
  readonly stdout: Writable & Descriptor & { readonly columns?: number }
  /** Messages and progress. */
  readonly stderr: Writable & Descriptor & { readonly columns?: number }
  /** Whether these three streams are this process's own, so that programs inherit them. */
  readonly inherit?: boolean
  /** Further descriptors, from 3 on, that the commands of `exec`, `lock` and `lease` get under the same numbers; none by default. */
  readonly descriptors?: readonly number[]
  readonly env: NodeJS.ProcessEnv
  /** The working directory, to which paths are relative and in which commands run. */
  readonly cwd: string
  readonly signals: SignalSource
  /** The `import.meta.url` of the application. The bundled PostgreSQL is looked for among its dependencies. */
  readonly from: string
  /** The text that `--version` prints. */
  readonly version: string
  /** Ends the process at once; usually `process.exit`. Called only at a second Ctrl-C. */
  exit(status: number): void
}
