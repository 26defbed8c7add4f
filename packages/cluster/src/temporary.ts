import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { defaultStrategy } from '@howdah/runtime'
import { Cluster } from './cluster.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { chooseServerUser, DataDirectory } from '@howdah/data-directory'
import type { RunOptions } from './running/run-options.ts'
import type { Session } from './session.ts'
import { prepareSpare } from './creating/spare.ts'
import { sweep } from './creating/sweep.ts'
import { temporaryPlace } from './creating/temporary-place.ts'

/** Options of a temporary cluster. */
export type TemporaryOptions = ClusterOptions &
  Omit<RunOptions, 'throwAway' | 'atEnd' | 'ifExists' | 'pinned'> & {
    /** Prepare a spare cluster in the background for the next call. It takes some 20 MB. */
    spare?: boolean | undefined
  }

/**
 * Runs a new cluster in a place that howdah chooses, in memory if there is room. It is removed when its last user has left,
 * even if that user was killed. Others join it by its `dataDir`.
 *
 * Throws as {@link Cluster.run} does, and `ERR_CLUSTER_TEMPORARY_PLACE` if there is no directory for temporary clusters.
 *
 * @example
 * await using db = await temporary({ database: 'test' })
 */
export async function temporary(options: TemporaryOptions = {}): Promise<Session> {
  // Made before the first await, because the default strategy looks at the modules that the caller can load.
  const { strategy = defaultStrategy() } = options
  const cluster = new Cluster(await temporaryDataDir(), { ...options, strategy })
  const session = await cluster.run({
    ...options,
    throwAway: true,
    onProgress: (step) => {
      // Loads the driver while the server starts.
      if (step === 'starting') import('pg').catch(() => undefined)
      options.onProgress?.(step)
    },
  })
  // Sweeps up after killed users in the background. The next call does the rest.
  void tidy(session, options).catch(() => undefined)
  return session
}

/**
 * A new path for a temporary cluster, in the place that {@link temporary} uses. Nothing is made. Run the cluster with
 * `throwAway`, or it stays.
 */
export async function temporaryDataDir(): Promise<string> {
  return join(await temporaryPlace(), randomBytes(6).toString('hex'))
}

async function tidy(
  { dataDir, runtime, address }: Session,
  { runAs, locale, trust, spare = false }: TemporaryOptions,
): Promise<void> {
  await sweep(dirname(dataDir))
  if (!spare) return
  const directory = new DataDirectory(dataDir)
  const user = await chooseServerUser(dataDir, runAs)
  const superuser = address.user
  await prepareSpare({ directory, runtime, user, superuser, locale, trust, throwAway: true })
}
