import { inheritedDescriptors } from '@howdah/durable'
import type { Readable, Writable } from 'node:stream'

/** A stream that may be a file descriptor of this process, and a terminal. */
interface Descriptor {
  readonly fd?: number
  readonly isTTY?: boolean
}

/** The source of signals: `process`, or an `EventEmitter` in its place. */
export interface SignalSource {
  /** Calls the listener at each such signal. */
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  /** Calls it no more. */
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

/** Everything that a command-line program uses of the process in which it runs. */
export interface ProcessIo {
  /** The standard input. If it has an `fd`, programs in the foreground inherit it; otherwise it is piped into them. */
  readonly stdin: Readable & Descriptor
  /** Results. */
  readonly stdout: Writable & Descriptor & { readonly columns?: number }
  /** Messages and progress. */
  readonly stderr: Writable & Descriptor & { readonly columns?: number }
  /** Whether these three streams are this process's own, so that programs inherit them. */
  readonly inherit?: boolean
  /** Further descriptors, from 3 on, that programs in the foreground get under the same numbers; none by default. */
  readonly descriptors?: readonly number[]
  readonly env: NodeJS.ProcessEnv
  /** The working directory, to which paths are relative and in which programs run. */
  readonly cwd: string
  readonly signals: SignalSource
  /** Ends the process at once; usually `process.exit`. Called only if the user or time demands it, as by a second Ctrl-C. */
  exit(status: number): void
}

/**
 * This process as a `ProcessIo`, for an executable.
 *
 * Call it before anything is opened, because programs in the foreground get the descriptors that are open now.
 */
export function processIo(): ProcessIo {
  return {
    // Node makes each stream at its first use, and a program in the foreground does not need them.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
    inherit: true,
    descriptors: inheritedDescriptors(),
    env: process.env,
    get cwd() {
      return currentDirectory()
    },
    signals: process,
    exit: (status) => process.exit(status),
  }
}

/** Throws if the directory was deleted, which only matters for relative paths. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new Error('the current directory was deleted; change to another one', { cause })
  }
}
