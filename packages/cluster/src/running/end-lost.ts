import { acquire } from '@howdah/lock'
import { type DataDirectory, isLost, serverWorkingIn } from '@howdah/data-directory'
import { endPostmaster, type StopOptions } from './stop.ts'
import type { WaitingOptions } from '../waiting-options.ts'

/**
 * Ends a server that works in exactly this directory although files such as `PG_VERSION`, by which it is found, are missing.
 * Then runs an action, still under the change lock. Gives whether there was such a server. A server that its files still name
 * is left alone.
 *
 * Its users lose their connections, because they are unknown.
 */
export async function endLost(
  directory: DataDirectory,
  options: StopOptions & WaitingOptions,
  then?: (held: DataDirectory) => Promise<void>,
): Promise<boolean> {
  if (!(await isLost(directory))) return false
  const { waitTimeout: timeout, signal } = options
  const change = await acquire(directory.path, { create: false, fair: false, timeout, signal })
  try {
    const server = (await isLost(directory)) ? await serverWorkingIn(directory) : null
    if (server === null) return false
    await endPostmaster(directory, server, options)
    await then?.(directory.by(change))
    return true
  } finally {
    change.release()
  }
}
