import type { Context } from '../program/command.ts'

/** How insistent, how patient and how long at all a command is to be that stops what others may use. */
export function patienceOf({ options, interruption }: Context): {
  force?: boolean
  timeout?: number
  waitTimeout?: number
  signal: AbortSignal
} {
  const timeout = options.timeout === undefined ? undefined : options.timeout * 1000
  return {
    ...(options.force && { force: true }),
    ...(timeout !== undefined && { timeout, waitTimeout: timeout }),
    signal: interruption.signal,
  }
}
