import type { Context } from '../program/command.ts'

/** How insistent, how patient and how long at all a command is to be that stops what others may use. */
export function patienceOf({ options, interruption }: Context): {
  force: boolean | undefined
  timeout: number | undefined
  waitTimeout: number | undefined
  signal: AbortSignal
} {
  const { force, timeout } = options
  return { force, timeout, waitTimeout: timeout, signal: interruption.signal }
}
