import { setTimeout as sleep } from 'node:timers/promises'
import { liveness } from '@howdah/lock'
import type { DataDirectory } from './data-directory.ts'
import { StopFailedError } from './errors.ts'
import { findPostmaster } from './postmaster.ts'
import { scopeOf } from './write-scope.ts'

/** How a server is stopped. */
export interface StopOptions {
  /**
   * `fast` ends the sessions and shuts down cleanly; `immediate` leaves recovery to the next start. A server is never
   * killed otherwise, for then its shared memory and its children would stay.
   */
  mode?: 'fast' | 'immediate'
  /** In ms; 60,000 by default. */
  timeout?: number
  /** Ends the waiting for it; it goes on shutting down. */
  signal?: AbortSignal | undefined
}

/**
 * Stops the server and waits until it is gone; `false` when none ran.
 *
 * The caller holds the change and use locks, the latter exclusively or by force. Throws {@link StopFailedError}.
 */
export async function stopPostmaster(
  directory: DataDirectory,
  options: StopOptions = {},
): Promise<boolean> {
  const timeout = options.timeout ?? 60_000
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) return false
  options.signal?.throwIfAborted()
  const { identity } = postmaster
  const scope = scopeOf(directory, identity)
  const deadline = performance.now() + timeout
  // See "Shutting Down the Server" in PostgreSQL's manual.
  process.kill(identity.pid, options.mode === 'immediate' ? 'SIGQUIT' : 'SIGINT')
  while (liveness(identity) !== 'dead') {
    if (performance.now() > deadline)
      throw new StopFailedError(directory.path, identity.pid, timeout)
    options.signal?.throwIfAborted()
    await sleep(2)
  }
  await (await scope)?.release()
  return true
}
