import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { errno } from '@howdah/durable'
import { defaultStrategy } from '@howdah/runtime'
import { Cluster } from './cluster.ts'
import type { ClusterOptions } from './cluster-options.ts'
import type { RunOptions } from './running/run-options.ts'
import type { Session } from './session.ts'
import { claimSpare, haveSpare, prepareSpare, spareKey } from './creating/spare.ts'
import { sweep } from './creating/sweep.ts'
import { temporaryPlace } from './creating/temporary-place.ts'

/** Options of a temporary cluster. */
export type TemporaryOptions = ClusterOptions &
  Omit<RunOptions, 'throwAway' | 'atEnd' | 'ifExists' | 'pinned'> & {
    /**
     * Start a spare cluster in the background for the next call with such options, in this process or another one. The number
     * says for how many ms its server waits for that call; `true` means a minute. It takes some 40 MB.
     */
    spare?: boolean | number | undefined
  }

/** How long a spare waits, in ms, if nothing else is asked for. */
const minute = 60_000

/**
 * Runs a new cluster in a place that howdah chooses, in memory if there is room. It is removed when its last user has left,
 * even if that user was killed. Others join it by its `dataDir`.
 *
 * Throws as {@link Cluster.run} does, and `ERR_CLUSTER_TEMPORARY_PLACE` if there is no directory for temporary clusters.
 *
 * @example
 * await using db = await temporary({ database: 'test' })
 */
export async function temporary(given: TemporaryOptions = {}): Promise<Session> {
  // Made before the first await, because the default strategy looks at the modules that the caller can load.
  const { strategy = defaultStrategy(), spare = false, ...others } = given
  const options = { ...others, strategy }
  const dataDir = await temporaryDataDir()
  const session = (await runSpare(dirname(dataDir), options)) ?? (await runNew(dataDir, options))
  // Sweeps up after killed users in the background. The next call does the rest.
  void tidy(dirname(dataDir), options, spare).catch(() => undefined)
  return session
}

async function runNew(dataDir: string, options: ClusterOptions & RunOptions): Promise<Session> {
  return await new Cluster(dataDir, options).run({
    ...options,
    throwAway: true,
    // While the server starts, there is nothing else to do.
    onLaunched: () => void loadDriver().catch(() => undefined),
  })
}

/**
 * Loads the driver, and what Node loads for it with the first connection: it asks for `Response` if there is no `navigator`, to see
 * whether it runs at Cloudflare.
 */
async function loadDriver(): Promise<void> {
  await import('pg')
  if (!('navigator' in globalThis)) void globalThis.Response
}

/** Joins the spare cluster; `null` if there is none for these options. */
async function runSpare(
  place: string,
  options: ClusterOptions & RunOptions,
): Promise<Session | null> {
  if (!haveSpare(place)) return null
  const key = await spareKey(new Cluster(place, options), options)
  const dataDir = key === null ? null : claimSpare(place, key)
  if (dataDir === null) return null
  void loadDriver().catch(() => undefined)
  try {
    const { linger = 0 } = options
    // It was to linger without a user, and not after its user.
    const atEnd = linger > 0 ? 'stop' : 'destroy'
    return await new Cluster(dataDir, options).run({ ...options, ifExists: true, atEnd })
  } catch (error) {
    // Its time was over.
    if (over.has(errno(error))) return null
    throw error
  }
}

const over: ReadonlySet<string> = new Set(['ERR_CLUSTER_MISSING', 'ERR_COORDINATE_DOES_NOT_EXIST'])

/**
 * A new path for a temporary cluster, in the place that {@link temporary} uses. Nothing is made. Run the cluster with
 * `throwAway`, or it stays.
 */
export async function temporaryDataDir(): Promise<string> {
  return join(await temporaryPlace(), randomBytes(6).toString('hex'))
}

async function tidy(
  place: string,
  options: ClusterOptions & RunOptions,
  spare: boolean | number,
): Promise<void> {
  await sweep(place)
  const linger = spare === true ? minute : Number(spare)
  if (linger <= 0) return
  const cluster = new Cluster(await temporaryDataDir(), options)
  const key = await spareKey(cluster, options)
  if (key !== null) await prepareSpare(cluster, key, options, linger)
}
