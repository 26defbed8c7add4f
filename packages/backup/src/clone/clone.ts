import { rm } from 'node:fs/promises'
import {
  closedAbove,
  type DataDirectory,
  type Descriptor,
  explain,
  findPostmaster,
  readMark,
  syncToDisk,
  wasShutDown,
  writeOwnFile,
  writeSystemIdentifier,
} from '@howdah/data-directory'
import { resetCopiedSettings } from '../restoring/auto-conf.ts'
import type { Progress } from '../backup.ts'
import { recoveryFailed } from '../errors.ts'
import { neededSettings } from '../making/needed-settings.ts'
import { runPrivately } from '../private-server.ts'
import { ProgressReport } from '../progress-report.ts'
import { readRecoveryLog } from '../restoring/recovery-log.ts'
import {
  bringIntoBeing,
  chooseSuperuser,
  type Coordination,
  explained,
  insideOf,
  invokingUser,
  joinCluster,
  remember,
  clusterMissing,
  createFailed,
  notEmpty,
  waiting,
} from '@howdah/cluster/inside'
import { type Cluster, postgres, type WaitingOptions } from '@howdah/cluster'
import { copyRunning } from './copy-running.ts'
import { type CopyingOptions, copyStopped } from './copy-stopped.ts'
import { disableSubscriptions } from './disable-subscriptions.ts'
import { keepToItself, refuseElsewhere } from './keep-to-itself.ts'

/** How a cluster is cloned. */
export interface CloneOptions extends WaitingOptions {
  /** The data directory for the copy: a new or an empty one. */
  to: string
  /** Ends it; the call then rejects with the signal's reason, and what it had made is removed. */
  signal?: AbortSignal | undefined
  /** Told how far it is, some times a second. */
  onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Copies a cluster, running or stopped, into a new or an empty directory, and returns the copy: a cluster of its own, with a
 * system identifier of its own, stopped. A server that runs goes on, and so do its users; a cluster that does not run
 * cannot be started until the copy is made.
 *
 * The copy has the databases, roles, rows and settings of the original, the mode among them. It neither archives where the
 * original does nor has its replication slots. Throws `ERR_CLUSTER_NOT_EMPTY` and `ERR_CLUSTER_NESTED` for a place that is taken,
 * `ERR_CLUSTER_BACKUP_UNSUPPORTED` for a standby, for tablespaces elsewhere and for a server that logs too little, and
 * `ERR_CLUSTER_RECOVERY_FAILED`; there is no copy then, and the original is as it was.
 */
export async function cloneCluster(cluster: Cluster, options: CloneOptions): Promise<Cluster> {
  return await explained(cluster.dataDir, async () => {
    const original = insideOf(cluster)
    const cloned = original.another(options.to)
    const from = await original.coordination()
    const to = await insideOf(cloned).coordination({ like: from.user })
    await make(from, to, options)
    await remember(to.state, to.directory)
    return cloned
  })
}

async function make(from: Coordination, to: Coordination, options: CloneOptions): Promise<void> {
  const progress = new ProgressReport(options.onProgress)
  progress.begin('preparing')
  if (!(await from.free.exists())) throw clusterMissing(from.directory.path)
  await refuseElsewhere(from.directory)
  const { path } = to.directory
  try {
    // Nobody need wait for its users to leave only to hear that it is there.
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

async function build(
  from: Coordination,
  to: Coordination,
  change: Descriptor,
  progress: ProgressReport,
  options: CloneOptions,
): Promise<void> {
  const { signal } = options
  const runtime = await from.runtime()
  const removal = { user: to.user, runtime: from.runtime }
  await bringIntoBeing(to.directory, change, removal, async ({ directory: staging }) => {
    const { path, here } = staging
    const user = to.user && { ...to.user, closed: await closedAbove(path, to.user) }
    const copying = { to: here, owner: user, progress, signal }
    const needed = await copy(from, copying, options)
    await resetCopiedSettings(here, user)
    await keepToItself(staging, runtime, user)
    const known = (await readMark(from.directory))?.superuser ?? null
    if (!(await wasShutDown(here))) {
      progress.begin('recovering')
      const settings = {
        runtime,
        user,
        superuser: known ?? invokingUser(),
        settings: needed,
        signal,
      }
      await recoverCopy(staging, settings)
    }
    progress.begin('finishing')
    await disableSubscriptions(staging, runtime, user)
    const superuser = known ?? (await chooseSuperuser(staging, runtime, user))
    await writeSystemIdentifier(here)
    if (await from.directory.has(from.directory.unsynced)) {
      await writeOwnFile(staging.unsynced, '', user)
    } else {
      const { succeeded, stderr } = await syncToDisk(path, runtime, user, signal)
      if (!succeeded) throw createFailed(path, stderr.trim())
    }
    return superuser
  })
}

/** Copies the cluster in the way that fits, and tells which settings its recovery needs. */
async function copy(
  source: Coordination,
  copying: CopyingOptions,
  options: CloneOptions,
): Promise<Record<string, string>> {
  const { directory, free } = source
  if ((await findPostmaster(directory)) === null) {
    await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
    if (exclusive !== null && (await findPostmaster(directory)) === null) {
      if (!(await exclusive.exists())) throw clusterMissing(directory.path)
      await copyStopped(directory, copying)
      return {}
    }
  }
  // From now on it runs until we leave.
  const { waitTimeout, signal, onWait } = options
  await using session = await joinCluster(source, { ifExists: true, waitTimeout, signal, onWait })
  const client = await session.connect(postgres)
  await copyRunning(client, directory, { ...copying, major: session.runtime.version.major })
  return await neededSettings(client)
}

/** With the identifier of the original, for the WAL has that, too. */
async function recoverCopy(
  staging: DataDirectory,
  server: Parameters<typeof runPrivately>[1],
): Promise<void> {
  // It is ready when it has recovered.
  const log = await runPrivately(staging, server, () => Promise.resolve())
  await rm(staging.mark, { force: true })
  if (!(await wasShutDown(staging.here))) {
    const why = readRecoveryLog(log).failure ?? 'the server ended on the way'
    throw recoveryFailed(staging.path, why, log.trim().split('\n').slice(-8).join('\n'))
  }
}
