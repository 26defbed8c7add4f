import { endServer, isMoved, recordNaming } from '@howdah/coordinate'
import type { ProcessIdentity } from '@howdah/lock'
import { type DataDirectory, findPostmaster, coordinationPaths } from '@howdah/data-directory'
import { stopFailed } from '../errors.ts'
import { scopeOf } from '@howdah/known-clusters'

/**
 * How long a stopping server may stand still before it gets SIGQUIT, in ms. A server that writes its last checkpoint or
 * recovers does not stand still.
 */
export const longestStillness = 3_000

/** How to stop a server. */
export interface StopOptions {
  /**
   * `fast` ends the sessions and shuts down cleanly; `immediate` leaves recovery to the next start. A server is never killed
   * by SIGKILL, because its shared memory and its children would stay.
   */
  shutdown?: 'fast' | 'immediate' | undefined
  /** In ms; 60,000 by default. */
  timeout?: number | undefined
  /** Ends the wait. The server goes on shutting down. */
  signal?: AbortSignal | undefined
  /** Called with messages for the user. */
  onNotice?: ((message: string) => void) | undefined
}

/**
 * Stops the server and waits until it is gone. `false`: no server ran.
 *
 * A server that stands still gets SIGQUIT. No committed data is lost, because the next start recovers. PostgreSQL 18 stands
 * still if it is told to stop while it recovers from the crash of one of its processes.
 *
 * The caller holds the change and use locks, the latter exclusively or by force. Throws `ERR_CLUSTER_STOP_FAILED`.
 */
export async function stopPostmaster(
  directory: DataDirectory,
  options: StopOptions = {},
): Promise<boolean> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) return false
  await endPostmaster(directory, postmaster.identity, options)
  return true
}

/**
 * Stops the given server of the directory, as {@link stopPostmaster} does. A server whose directory was moved is told to quit,
 * because its last checkpoint would write `global/pg_control` at the old path, where another cluster may be now.
 */
export async function endPostmaster(
  directory: DataDirectory,
  identity: ProcessIdentity,
  options: StopOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted()
  const timeout = options.timeout ?? 60_000
  const { pid } = identity
  const scope = scopeOf(directory, identity)
  const end = await endServer(identity, {
    // See "Shutting Down the Server" in PostgreSQL's manual.
    ...(options.shutdown === 'immediate' || wasMoved(directory, identity)
      ? { signal: 'SIGQUIT' }
      : { signal: 'SIGINT', stillness: longestStillness }),
    timeout,
    abort: options.signal,
  })
  if (end === 'alive') throw stopFailed(directory.path, pid, timeout)
  if (end === 'quit') {
    options.onNotice?.(
      `the server on ${directory.path} (pid ${pid}) was told to stop and stood still for ${longestStillness / 1000} s, as ` +
        'PostgreSQL does if one of its processes has crashed just before; it was told to quit, and its next start recovers',
    )
  }
  await (await scope)?.release()
}

function wasMoved(directory: DataDirectory, identity: ProcessIdentity): boolean {
  const record = recordNaming(coordinationPaths(directory), identity)
  return record !== null && isMoved(record, directory.path)
}
