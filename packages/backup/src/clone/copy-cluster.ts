import { stat } from 'node:fs/promises'
import { postgres } from '@howdah/cluster'
import { clusterMissing, type Coordination, joinCluster, waiting } from '@howdah/cluster/inside'
import { findPostmaster, wasShutDown } from '@howdah/data-directory'
import type pg from 'pg'
import { neededSettings } from '../making/needed-settings.ts'
import type { CloneOptions } from './clone-options.ts'
import { copyRunning } from './copy-running.ts'
import { type CopyingOptions, copyStopped } from './copy-stopped.ts'
import { subscriptionsOf } from './disable-subscriptions.ts'

/** What has been copied. */
export interface Copied {
  /** Settings that its recovery needs. */
  readonly settings: Record<string, string>
  /** Whether it must be recovered and looked into before anybody may have it: it has subscriptions, or needs settings. */
  readonly needsCare: boolean
}

/** Copies the files of a cluster in the way that fits: of one that runs as a base backup, otherwise as they are. */
export async function copyCluster(
  source: Coordination,
  copying: CopyingOptions,
  options: CloneOptions,
): Promise<Copied> {
  const { directory, free } = source
  if ((await findPostmaster(directory)) === null) {
    await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
    if (exclusive !== null && (await findPostmaster(directory)) === null) {
      if (!(await exclusive.exists())) throw clusterMissing(directory.path)
      await copyStopped(directory, copying)
      const subscriptions = await stat(subscriptionsOf(directory)).catch(() => null)
      // Those of a killed server may be in its WAL alone.
      const hasNone = subscriptions?.size === 0 && (await wasShutDown(copying.to))
      return { settings: {}, needsCare: !hasNone }
    }
  }
  // From now on it runs until we leave.
  const { waitTimeout, signal, onWait } = options
  await using session = await joinCluster(source, { ifExists: true, waitTimeout, signal, onWait })
  const client = await session.connect(postgres)
  await copyRunning(client, directory, { ...copying, major: session.runtime.version.major })
  return { settings: await neededSettings(client), needsCare: await needsCare(client) }
}

/** Settings of the command line are not in the files that were copied. */
async function needsCare(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ care: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription)
         OR EXISTS (SELECT FROM pg_catalog.pg_settings
                     WHERE source = 'command line'
                       AND name IN ('max_prepared_transactions', 'shared_preload_libraries')) AS care`,
  )
  return rows[0]?.care !== false
}
