import { acquire } from '@howdah/lock'
import { type DataDirectory, isLost, serverWorkingIn } from '@howdah/data-directory'
import { endPostmaster, type StopOptions } from './stop.ts'
import type { WaitingOptions } from '../waiting-options.ts'

/**
 * Ends a server that works in this very directory although files are missing by which it is found, such as `PG_VERSION`,
 * and then does something, still under the change lock. Whether there was one; a server that its files tell of is left alone.
 *
 * Its users lose it: there is no telling who they are.
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
