import type { Wait, WaitOptions } from '@howdah/coordinate'

/** How to wait for other processes that start or stop the server. */
export interface WaitingOptions {
  /** How long to wait for other processes that start or stop the server, in ms; by default without limit. */
  waitTimeout?: number | undefined
  /** Ends the wait; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Called once for each thing that it waits for. */
  onWait?: ((wait: Wait) => void) | undefined
}

/** The same options in the form that `@howdah/coordinate` takes. */
export function waiting({ waitTimeout, signal, onWait }: WaitingOptions): WaitOptions {
  return { timeout: waitTimeout, signal, onWait }
}
