import { constants } from 'node:os'

/** Exit statuses that any program may use. */
export const exitStatus = {
  done: 0,
  failed: 1,
  misused: 2,
  /** Of a program that runs another one, as with env(1): it failed itself, and not the other program. */
  ownFailure: 125,
  /** Of a program that runs another one: the other program exists but cannot be run. */
  notRunnable: 126,
  /** Of a program that runs another one: there is no such program. */
  notFound: 127,
} as const

/** The exit status for a process that a signal has ended: 128 plus the number of the signal, as in shells. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
