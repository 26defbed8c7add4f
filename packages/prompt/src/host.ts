import type { Readable, Writable } from 'node:stream'
import type { Client } from 'pg'

/** A stream that may be a terminal, and a descriptor of this process. */
interface Descriptor {
  readonly isTTY?: boolean
  readonly fd?: number
}

/** Everything that the shell uses of the process in which it runs, and of the server. */
export interface Host {
  readonly stdin: Readable & Descriptor & { setRawMode?(raw: boolean): unknown }
  readonly stdout: Writable & Descriptor & { readonly columns?: number; readonly rows?: number }
  readonly stderr: Writable & Descriptor
  /** The environment of the programs that the shell starts, in which the `PG*` variables name the server. */
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The version in the greeting. */
  readonly version: string
  /** The file that keeps what was typed at the prompt; `null` to keep nothing. It is asked for when the prompt begins. */
  historyFile(): Promise<string | null>
  /** Makes a path absolute. Throws for a relative path if the working directory was deleted. */
  fullPath(path: string): string
  /** Writes results. Resolves when there is room for more. */
  write(data: string | Buffer): Promise<void>
  /** Prints a line that the user asked for or needs, such as an error. */
  complain(text: string): void
  /** Prints a line that `--quiet` leaves out. */
  message(text: string): void
  /** A new connection to a database of the server. The caller ends it. */
  connect(to: { readonly database: string; readonly user?: string | undefined }): Promise<Client>
  /**
   * Runs an action. Signals that come meanwhile are given to `receive`. With `count: false`, Ctrl-C is a key, and does not
   * ask the process to end.
   */
  during<T>(
    receive: (signal: NodeJS.Signals) => void,
    action: () => Promise<T>,
    options?: { count: boolean },
  ): Promise<T>
}

/** A script: the SQL or the command of `-c`, or a file of `-f`, in which `-` means stdin. */
export type Script =
  | { readonly kind: 'command'; readonly sql: string }
  | { readonly kind: 'file'; readonly path: string }

/** What the shell is to do. */
export interface ShellOptions {
  /** The database to begin with. */
  readonly database: string
  /** The scripts, in order. By default it prompts if stdin is a terminal, and runs stdin otherwise. */
  readonly scripts?: readonly Script[] | undefined
  /** Arguments as psql has them, such as `['-At', '-v', 'name=value']`. Scripts among them come after the others. */
  readonly args?: readonly string[] | undefined
}
