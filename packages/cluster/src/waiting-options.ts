import type { Wait, WaitOptions } from '@howdah/coordinate'

/** How to wait for others who start or stop the server. */
export interface WaitingOptions {
  /** In ms: how long to wait for others who start or stop the server. Without it there is no limit. */
  waitTimeout?: number | undefined
  /** Ends the waiting; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Told, once each, what is waited for. */
  onWait?: ((wait: Wait) => void) | undefined
}

/** The same as the locks take it. */
export function waiting({ waitTimeout, signal, onWait }: WaitingOptions): WaitOptions {
  return { timeout: waitTimeout, signal, onWait }
}
