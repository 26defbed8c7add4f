import type { Context } from './command.ts'

/** How insistent, how patient and how long at all a command is to be that stops what others may use. */
export function patienceOf({ options, interruption }: Context): {
  force?: boolean
  timeout?: number
  signal: AbortSignal
} {
  return {
    ...(options.force && { force: true }),
    ...(options.timeout !== undefined && { timeout: options.timeout * 1000 }),
    signal: interruption.signal,
  }
}
