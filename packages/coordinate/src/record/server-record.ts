import { type ProcessIdentity } from '@howdah/lock'

/** A signal that ends a server in an orderly way. */
export type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2'

/**
 * Who runs, started by us, and how it is to be treated.
 *
 * It is written under change, whole, by rename, **before** the process that it names becomes the server. So a process
 * that it does not name was started by somebody else.
 */
export interface ServerRecord {
  readonly process: ProcessIdentity
  /** What ends it. */
  readonly signal: StopSignal
  /** In seconds: it is told to quit when it stands still for so long after that signal. 0: not for that. */
  readonly stillness: number
  /** Whether it works in the directory of the use file: a further proof that it is the process meant. */
  readonly worksHere: boolean
  /** The name of the host, or container, in which it was started; for people. */
  readonly host: string | null
  /** When it was started; for people. */
  readonly since: Date | null
  /** Nobody stops it by leaving. */
  readonly pinned: boolean
  /** It ends when its files are removed, also while it is used or pinned. */
  readonly perishes: boolean
  /** In whole ms: how long it stays after its last user. */
  readonly linger: number
  /** Changes whenever somebody joins a lingering subject, so that lingering starts anew. */
  readonly joined: string
}
