import { type ProcessIdentity } from '@howdah/lock'

/** A signal that ends a server in an orderly way. */
export type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2'

/**
 * The server that we started, and how to treat it.
 *
 * It is written under change, as a whole, by rename, **before** the named process becomes the server. So a server that it
 * does not name was started by somebody else.
 */
export interface ServerRecord {
  readonly process: ProcessIdentity
  /** The signal that ends the server. */
  readonly signal: StopSignal
  /** In ms: the server gets SIGQUIT if it stands still for so long after that signal. 0: it does not. */
  readonly stillness: number
  /** Whether the server works in the directory of the use file, which is a further proof of its identity. */
  readonly worksHere: boolean
  /**
   * The path of the directory by which the server reaches its files; `null` if it goes on wherever the directory is. If the
   * directory is moved, a server that perishes is told to quit within a second, and any other one is only ever told to quit.
   */
  readonly boundTo: string | null
  /** The name of the host or container in which the server was started, for people. */
  readonly host: string | null
  /** When the server was started, for people. */
  readonly since: Date | null
  /** Whether the server stays without users. */
  readonly pinned: boolean
  /** Whether the server ends when its files are removed, even while it is used or pinned. */
  readonly perishes: boolean
  /** How many whole ms the server stays after its last user. */
  readonly linger: number
  /** A text that changes whenever somebody joins a lingering subject, so that the lingering starts again. */
  readonly joined: string
}
