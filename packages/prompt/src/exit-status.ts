import { constants } from 'node:os'

/** The exit statuses of psql, except for `misused`, which is howdah's. */
export const exitStatus = {
  done: 0,
  /** A `-c` failed, or a file could not be read. */
  failed: 1,
  /** The connection was lost. */
  lost: 2,
  /** An argument is not known. */
  misused: 2,
  /** A script failed, and ON_ERROR_STOP is set. */
  scriptFailed: 3,
} as const

/** The signals that ask a program to end. */
const ending: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
])

/** The exit status after a signal, 128 plus its number, as in shells; `null` if it does not ask to end. */
export function statusOfSignal(signal: NodeJS.Signals): number | null {
  return ending.has(signal) ? 128 + constants.signals[signal] : null
}
