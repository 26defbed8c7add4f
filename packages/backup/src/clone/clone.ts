import { rm } from 'node:fs/promises'
import {
  closedAbove,
  type DataDirectory,
  type Descriptor,
  explain,
  explained,
  readMark,
  type ServerUser,
  wasShutDown,
  writeOwnFile,
  writeSystemIdentifier,
} from '@howdah/data-directory'
import { resetCopiedSettings } from '../restoring/auto-conf.ts'
import { recoveryFailed } from '../errors.ts'
import { runPrivately } from '../private-server.ts'
import { ProgressReport } from '../progress-report.ts'
import { readRecoveryLog } from '../restoring/recovery-log.ts'
import {
  bringIntoBeing,
  chooseSuperuser,
  type Coordination,
  insideOf,
  invokingUser,
  clusterMissing,
  notEmpty,
  waiting,
} from '@howdah/cluster/inside'
import { remember } from '@howdah/known-clusters'
import type { Cluster, Outcome } from '@howdah/cluster'
import type { Runtime } from '@howdah/runtime'
import type { CloneOptions } from './clone-options.ts'
import type { Copied } from './copied.ts'
import { copyCluster } from './copy-cluster.ts'
import { disableSubscriptions } from './disable-subscriptions.ts'
import { keepToItself, refuseElsewhere } from './keep-to-itself.ts'
import { syncCopy } from './sync-copy.ts'

/**
 * Copies a running or stopped cluster into a new or empty directory, and returns the copy: a stopped, independent cluster
 * with a system identifier of its own. A running server and its users go on. A stopped cluster cannot be started until the
 * copy is made.
 *
 * The copy has the databases, roles, rows and settings of the original, including its mode. It does not archive into the
 * original's archive, and has no replication slots. Throws `ERR_CLUSTER_NOT_EMPTY` and `ERR_CLUSTER_NESTED` if the place is
 * taken,
 * `ERR_CLUSTER_BACKUP_UNSUPPORTED` for a standby, for tablespaces elsewhere and for a server that logs too little, and
 * `ERR_CLUSTER_RECOVERY_FAILED`. Then there is no copy, and the original is unchanged.
 */
export async function cloneCluster(cluster: Cluster, options: CloneOptions): Promise<Cluster> {
  return await explained(cluster.dataDir, async () => {
    const original = insideOf(cluster)
    const cloned = original.another(options.to, options)
    const from = await original.coordination()
    const to = await insideOf(cloned).coordination({ like: from.user })
    await make(from, to, options)
    await remember(to.state, to.directory)
    return cloned
  })
}

/**
 * Copies a cluster like {@link cloneCluster}, to a place where other processes may do the same at the same time: one of them
 * copies and the others wait. `'unmodified'`: a cluster is already there.
 *
 * The copy of a running server recovers at its first start.
 */
export async function forkCluster(cluster: Cluster, options: CloneOptions): Promise<Outcome> {
  return await fork(cluster, options)
}

/** The file in the data directory of a branch that says when it was made and of what. Copies do not get it. */
export const branchRecord = 'howdah.branch'

/** Copies a cluster like {@link forkCluster}. With a record the copy is a branch. */
export async function fork(
  cluster: Cluster,
  options: CloneOptions & { readonly record?: string | undefined },
): Promise<Outcome> {
  return await explained(cluster.dataDir, async () => {
    const original = insideOf(cluster)
    const from = await original.coordination()
    const to = await insideOf(original.another(options.to, options)).coordination({
      like: from.user,
    })
    if (await to.free.exists()) return 'unmodified'
    const progress = await prepared(from, options)
    try {
      // If somebody uses the copy, it is already made.
      await using exclusive = await to.free.tryChange(waiting(options))
      if (exclusive === null || (await exclusive.exists())) return 'unmodified'
      await exclusive.reconfigure(async (_, change) => {
        await build(from, to, change, progress, { ...options, recoversLater: true })
      })
    } catch (error) {
      throw explain(error, to.directory.path, to.directory.path)
    }
    await remember(to.state, to.directory)
    return 'modified'
  })
}

async function make(from: Coordination, to: Coordination, options: CloneOptions): Promise<void> {
  const progress = await prepared(from, options)
  const { path } = to.directory
  try {
    // Throw at once, instead of waiting for the users of an existing cluster to leave.
    if (await to.free.exists()) throw notEmpty(path, ['PG_VERSION'])
    await using exclusive = await to.free.change(waiting(options))
    await exclusive.reconfigure(async (_, change) => {
      if (await exclusive.exists()) throw notEmpty(path, ['PG_VERSION'])
      await build(from, to, change, progress, options)
    })
  } catch (error) {
    throw explain(error, path, path)
  }
}

async function prepared(from: Coordination, options: CloneOptions): Promise<ProgressReport> {
  const progress = new ProgressReport(options.onProgress)
  progress.begin('preparing')
  if (!(await from.free.exists())) throw clusterMissing(from.directory.path)
  await refuseElsewhere(from.directory)
  return progress
}

interface BuildOptions extends CloneOptions {
  /** Whether the copy is recovered at its first start. */
  readonly recoversLater?: boolean
  /** The text of {@link branchRecord}. */
  readonly record?: string | undefined
}

interface Finishing extends BuildOptions, Pick<Copied, 'settings' | 'needsCare'> {
  /** The path of the copy for the server's user. */
  readonly path: string
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly progress: ProgressReport
}

async function build(
  from: Coordination,
  to: Coordination,
  change: Descriptor,
  progress: ProgressReport,
  options: BuildOptions,
): Promise<void> {
  const { signal } = options
  const runtime = await from.runtime()
  const removal = { user: to.user, runtime: from.runtime }
  await bringIntoBeing(to.directory, change, removal, async ({ directory: staging }, within) => {
    const { path, here } = staging
    const user = to.user && { ...to.user, closed: await closedAbove(path, to.user) }
    const copying = { to: here, owner: user, progress, signal }
    const { settings, needsCare, leaving } = await copyCluster(from, copying, options)
    // The original's server is left in parallel.
    const finished = finish(from, staging, {
      ...options,
      path,
      runtime,
      user,
      settings,
      needsCare,
      progress,
    })
    // If one fails, the other is waited for all the same.
    await Promise.allSettled([finished, leaving])
    const [superuser] = await Promise.all([finished, leaving])
    const { record } = options
    if (record !== undefined) await writeOwnFile(within.file(branchRecord), record, to.user)
    return superuser
  })
}

/** Turns the copied files into an independent cluster, syncs them, and gives the role to connect as. */
async function finish(
  from: Coordination,
  staging: DataDirectory,
  { path, runtime, user, settings, needsCare, progress, recoversLater, signal }: Finishing,
): Promise<string> {
  const { here } = staging
  await resetCopiedSettings(here, user)
  await keepToItself(staging, runtime, user)
  let superuser = (await readMark(from.directory))?.superuser ?? null
  if (recoversLater !== true || needsCare || superuser === null) {
    if (!(await wasShutDown(here))) {
      progress.begin('recovering')
      const asWhom = superuser ?? invokingUser()
      await recoverCopy(staging, { runtime, user, superuser: asWhom, settings, signal })
    }
    await disableSubscriptions(staging, runtime, user)
    superuser ??= await chooseSuperuser(staging, runtime, user)
  }
  progress.begin('finishing')
  await writeSystemIdentifier(here)
  if (await from.directory.has(from.directory.unsynced)) {
    await writeOwnFile(staging.unsynced, '', user)
  } else {
    await syncCopy(path, runtime, user, signal)
  }
  return superuser
}

/** Recovers the copy, which still has the identifier of the original, like its WAL. */
async function recoverCopy(
  staging: DataDirectory,
  server: Parameters<typeof runPrivately>[1],
): Promise<void> {
  // The server is ready after it has recovered.
  const log = await runPrivately(staging, server, () => Promise.resolve())
  await rm(staging.mark, { force: true })
  if (!(await wasShutDown(staging.here))) {
    const why = readRecoveryLog(log).failure ?? 'the server ended on the way'
    throw recoveryFailed(staging.path, why, log.trim().split('\n').slice(-8).join('\n'))
  }
}
