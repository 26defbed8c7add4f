import type { Context } from '../program/command.ts'

/** The options of a command that stops something that others may use: force, timeout and interruption. */
export function patienceOf({ options, interruption }: Context): {
  force: boolean | undefined
  timeout: number | undefined
  waitTimeout: number | undefined
  signal: AbortSignal
} {
  const { force, timeout } = options
  return { force, timeout, waitTimeout: timeout, signal: interruption.signal }
}
