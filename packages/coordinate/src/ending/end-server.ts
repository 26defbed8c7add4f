import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type ProcessIdentity, liveness } from '@howdah/lock'
import type { StopSignal } from '../record/server-record.ts'
import { Stillness } from './stillness.ts'

/** How to end a server. */
export interface EndServerOptions {
  /** The signal that asks the server to end in an orderly way. */
  readonly signal: StopSignal
  /** The server gets SIGQUIT after it has stood still for so many ms. Without this option, or with 0, it does not. */
  readonly stillness?: number | undefined
  /** The server gets SIGQUIT after so many ms in any case. Without this option it does not. */
  readonly patience?: number | undefined
  /** How many ms to wait for the end of the server; by default for ever. */
  readonly timeout?: number | undefined
  /** Ends the wait: the promise rejects with the signal's reason, but the server still ends. */
  readonly abort?: AbortSignal | undefined
}

/** The result: the server has ended, it has ended after SIGQUIT, or it still runs. */
export type ServerEnd = 'ended' | 'quit' | 'alive'

/**
 * Ends a process, and waits until it is gone.
 *
 * A suspended process is continued, because it would not get the signal otherwise. SIGQUIT follows if the process stands
 * still. SIGKILL is never sent, because it leaves shared memory and children behind.
 */
export async function endServer(
  identity: ProcessIdentity,
  { signal, stillness = 0, patience = Infinity, timeout = Infinity, abort }: EndServerOptions,
): Promise<ServerEnd> {
  const still = new Stillness(identity.pid)
  const began = performance.now()
  let told: ServerEnd = 'ended'
  tell(identity, signal)
  tell(identity, 'SIGCONT')
  while (liveness(identity) !== 'dead') {
    const waited = performance.now() - began
    if (waited > timeout) return 'alive'
    abort?.throwIfAborted()
    const isStuck = (stillness > 0 && still.lasts() >= stillness) || waited > patience
    if (isStuck && told === 'ended') {
      tell(identity, 'SIGQUIT')
      told = 'quit'
    }
    await sleep(waited < 500 ? 2 : 10)
  }
  return told
}

/** Signals a process only if it is certainly the right one. */
function tell(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (liveness(identity) === 'alive') process.kill(identity.pid, signal)
  } catch (error) {
    if (errno(error) !== 'ESRCH') throw error
  }
}
