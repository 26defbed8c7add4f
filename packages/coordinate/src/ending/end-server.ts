import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type ProcessIdentity, liveness } from '@howdah/lock'
import type { StopSignal } from '../record/server-record.ts'
import { Stillness } from './stillness.ts'

/** How a server is ended. */
export interface EndServerOptions {
  /** What asks it to end in its orderly way. */
  readonly signal: StopSignal
  /** In ms: it is told to quit when it has stood still for so long. Without it, or for 0, never. */
  readonly stillness?: number | undefined
  /** In ms: it is told to quit after so long in any case. Without it, never. */
  readonly patience?: number | undefined
  /** In ms: how long to wait for its end; without it, for ever. */
  readonly timeout?: number | undefined
  /** Ends the waiting; the promise rejects with its reason, and the server goes on ending. */
  readonly abort?: AbortSignal | undefined
}

/** How it went: it has ended, it has ended after it was told to quit, or it is still there. */
export type ServerEnd = 'ended' | 'quit' | 'alive'

/**
 * Ends a process, and waits until it is gone.
 *
 * What was suspended is continued, or it would never hear of it. SIGQUIT follows if it stands still. Never SIGKILL, which
 * leaves shared memory and children behind.
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

/** Signals it only if it is known to be the process that is meant. */
function tell(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (liveness(identity) === 'alive') process.kill(identity.pid, signal)
  } catch (error) {
    if (errno(error) !== 'ESRCH') throw error
  }
}
