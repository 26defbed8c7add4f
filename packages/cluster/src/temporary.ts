import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { defaultStrategy } from '@howdah/runtime'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { chooseServerUser, DataDirectory } from '@howdah/data-directory'
import type { RunOptions } from './running/join.ts'
import type { Session } from './session.ts'
import { prepareSpare } from './creating/spare.ts'
import { sweep } from './creating/sweep.ts'
import { temporaryPlace } from './creating/temporary-place.ts'

/** How a temporary cluster is run. */
export type TemporaryOptions = ClusterOptions &
  Omit<RunOptions, 'throwAway' | 'atEnd' | 'ifExists' | 'pinned'> & {
    /** Prepare another cluster in the background, for the next call. It takes some 20 MB until then. */
    spare?: boolean | undefined
  }

/**
 * Runs a new cluster in a place of howdah's own choice, in memory if there is room; it is gone when its last user has
 * left, even if that user was killed. Others join it by its `dataDir`.
 *
 * Throws as {@link Cluster.run} does, and `ERR_CLUSTER_TEMPORARY_PLACE` if there is no directory for temporary clusters.
 *
 * @example
 * await using db = await temporary({ database: 'test' })
 */
export async function temporary(options: TemporaryOptions = {}): Promise<Session> {
  // Made before anything is awaited: it looks at what the modules that call see.
  const { strategy = defaultStrategy() } = options
  const cluster = new Cluster(await temporaryDataDir(), { ...options, strategy })
  const session = await cluster.run({
    ...options,
    throwAway: true,
    onProgress: (step) => {
      // While the server starts, there is time to load what will talk to it.
      if (step === 'starting') import('pg').catch(() => undefined)
      options.onProgress?.(step)
    },
  })
  // Sweeps up after killed users. Nobody waits for it. The next call does what this one leaves.
  void tidy(session, options).catch(() => undefined)
  return session
}

/**
 * The path of a new temporary cluster, where {@link temporary} would put it. Nothing is there yet. Run it with `throwAway`, or
 * it stays.
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
