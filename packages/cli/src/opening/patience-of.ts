import type { WaitingOptions } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { tellWaits } from '../program/tell-waits.ts'

/** The options of a command that stops something that others may use, with which it shows its waits. */
export function patienceOf({ output, options, interruption }: Context): WaitingOptions & {
  force: boolean | undefined
  timeout: number | undefined
} {
  const { force, timeout } = options
  return {
    force,
    timeout,
    waitTimeout: timeout,
    signal: interruption.signal,
    onWait: tellWaits(output, 'to start or stop PostgreSQL'),
  }
}
