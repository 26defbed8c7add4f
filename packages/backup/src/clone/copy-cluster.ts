import { stat } from 'node:fs/promises'
import { postgres } from '@howdah/cluster'
import { clusterMissing, type Coordination, joinCluster, waiting } from '@howdah/cluster/inside'
import { type DataDirectory, findPostmaster, wasShutDown } from '@howdah/data-directory'
import { acquire, type Lock } from '@howdah/lock'
import type { Copied } from './copied.ts'
import type { CloneOptions } from './clone-options.ts'
import { copyRunning } from './copy-running.ts'
import { type CopyingOptions, copyStopped } from './copy-stopped.ts'
import { subscriptionsOf } from './disable-subscriptions.ts'

/**
 * Copies the files of a cluster: by a base backup if its server runs, otherwise as they are.
 *
 * If several processes copy the same cluster, they do so one after the other. Each base backup makes the server begin new WAL
 * files, and has to copy all WAL files of its time, so many at once would copy many times the cluster's size.
 */
export async function copyCluster(
  source: Coordination,
  copying: CopyingOptions,
  options: CloneOptions,
): Promise<Copied> {
  const { directory, free } = source
  using _ = await takeTurn(directory, options)
  if ((await findPostmaster(directory)) === null) {
    await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
    if (exclusive !== null && (await findPostmaster(directory)) === null) {
      if (!(await exclusive.exists())) throw clusterMissing(directory.path)
      await copyStopped(directory, copying)
      const subscriptions = await stat(subscriptionsOf(directory)).catch(() => null)
      // The subscriptions of a killed server may be only in its WAL.
      const hasNone = subscriptions?.size === 0 && (await wasShutDown(copying.to))
      return { settings: {}, needsCare: !hasNone, leaving: Promise.resolve() }
    }
  }
  // The server runs until we leave.
  const { waitTimeout, signal, onWait } = options
  const session = await joinCluster(source, { ifExists: true, waitTimeout, signal, onWait })
  try {
    const client = await session.connect(postgres)
    const major = session.runtime.version.major
    const { settings, needsCare } = await copyRunning(client, directory, { ...copying, major })
    const leaving = session.leave()
    // A failure before the promise is awaited must not count as unhandled.
    leaving.catch(() => undefined)
    return { settings, needsCare, leaving }
  } catch (error) {
    await session.leave().catch(() => undefined)
    throw error
  }
}

/** Locks a directory that every cluster has and that nothing else locks. */
async function takeTurn(
  directory: DataDirectory,
  { waitTimeout: timeout, signal, onWait }: CloneOptions,
): Promise<Lock> {
  const path = directory.file('pg_tblspc')
  return await acquire(path, {
    create: false,
    fair: false,
    timeout,
    signal,
    onWait: onWait && (({ holders, over }) => onWait({ for: 'change', path, holders, over })),
  })
}
