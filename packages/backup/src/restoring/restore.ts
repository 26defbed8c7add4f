import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Free } from '@howdah/coordinate'
import { PartialVersion, type Runtime } from '@howdah/runtime'
import {
  closedAbove,
  type DataDirectory,
  type Descriptor,
  explain,
  explained,
  removeTree,
  type ServerUser,
  superusersWhileStopped,
} from '@howdah/data-directory'
import { bringIntoBeing, insideOf, type LaunchOptions, notEmpty } from '@howdah/cluster/inside'
import { remember } from '@howdah/known-clusters'
import type { Cluster } from '@howdah/cluster'
import { resetCopiedSettings } from './auto-conf.ts'
import type { Backup } from '../backup.ts'
import { BackupDirectory } from '../directory/backup-directory.ts'
import { type BackupRecord, recordName } from '../directory/backup-record.ts'
import { copyTree } from '../tree/copy-tree.ts'
import { listTree } from '../tree/list-tree.ts'
import { sourceOwner } from '../tree/source-owner.ts'
import { backupDamaged, targetNotReached } from '../errors.ts'
import { planRestore, type RestorePlan } from './plan-restore.ts'
import { ProgressReport } from '../progress-report.ts'
import type { WorkOptions } from '../work-options.ts'
import { readableWal } from './readable-wal.ts'
import { recover } from './recover.ts'
import type { RecoveryLog } from './recovery-log.ts'
import type { RecoveryTarget } from './recovery-target.ts'
import { type ReadFile, WalWalk } from '@howdah/wal'

/** How to restore a cluster. */
export interface RestoreOptions extends WorkOptions {
  /** The directory with the backups. */
  from: string
  /** The point to restore to; by default the end of the archived WAL. */
  until?: RecoveryTarget | undefined
  /** The number of the backup to begin with; by default the newest usable one. */
  backup?: number | undefined
  /** Which timeline to follow; by default the newest to which the backup leads. */
  timeline?: number | undefined
}

/** The result of a restore. */
export interface Restored {
  /** The backup with which the restore began. */
  readonly backup: Backup
  /** The position of the last replayed WAL record, as PostgreSQL prints it; `null` if there was none. */
  readonly lsn: string | null
  /** The end of the last replayed transaction, as PostgreSQL prints it; `null` if there was none. */
  readonly lastTransaction: string | null
  /** The superusers that can log in, oldest first. */
  readonly superusers: readonly string[]
}

/** The cluster that is made. */
interface RestoreTarget {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly free: Free<LaunchOptions>
  readonly runtime: (version: PartialVersion) => Promise<Runtime>
}

/**
 * Makes a new cluster from a backup and the WAL that was archived since, up to its end or to an earlier point. The cluster is
 * not started.
 *
 * Throws `ERR_CLUSTER_NO_BACKUP`, also for a point before the first backup, `ERR_CLUSTER_TARGET_NOT_REACHED` for a point
 * after the end,
 * `ERR_CLUSTER_INVALID_TARGET`, `ERR_CLUSTER_BACKUP_DAMAGED` and `ERR_CLUSTER_RECOVERY_FAILED`; then there is still no
 * cluster.
 */
export async function restoreCluster(cluster: Cluster, options: RestoreOptions): Promise<Restored> {
  return await explained(cluster.dataDir, async () => {
    const { directory, coordination, runtimeFor: runtime } = insideOf(cluster)
    const { user, free, state } = await coordination()
    const restored = await make({ directory, user, free, runtime }, options)
    await remember(state, directory)
    return restored
  })
}

async function make(to: RestoreTarget, options: RestoreOptions): Promise<Restored> {
  const { directory, user } = to
  const { signal, waitTimeout, onWait } = options
  const progress = new ProgressReport(options.onProgress)
  progress.begin('preparing')
  const from = new BackupDirectory(options.from)
  await from.owner(directory.path)
  try {
    const waiting = { timeout: waitTimeout, signal, onWait }
    // The lock prevents the removal of backups meanwhile.
    const lock = await from.lock('shared', waiting)
    try {
      const choice = { number: options.backup, timeline: options.timeline }
      const found = await planRestore(directory.path, from, options.until, choice, signal)
      const version = PartialVersion.of(Number.parseInt(found.plan.record.version, 10))
      const runtime = await to.runtime(version)
      await using exclusive = await to.free.change(waiting)
      return await exclusive.reconfigure(async (_, change) => {
        if (await exclusive.exists()) throw notEmpty(directory.path, ['PG_VERSION'])
        return await build(directory, user, found, {
          runtime,
          wal: from.wal,
          change,
          progress,
          signal,
        })
      })
    } finally {
      lock.release()
    }
  } catch (error) {
    throw explain(error, directory.path, directory.path)
  }
}

interface Building {
  readonly runtime: Runtime
  readonly wal: string
  readonly change: Descriptor
  readonly progress: ProgressReport
  readonly signal: AbortSignal | undefined
}

async function build(
  directory: DataDirectory,
  user: ServerUser | null,
  { plan: { backup, record, timeline, past, reach }, target }: RestorePlan,
  { runtime, wal, change, progress, signal }: Building,
): Promise<Restored> {
  const archive = new WalWalk(wal, signal)
  if (target === null) {
    // The WAL is verified first, because a server takes a damaged record for the end of the WAL.
    progress.begin('verifying', reach.files.length * record.walSegmentSize)
    const found = archive.read({ files: reach.files, past, origin: record })
    await refuseDamaged(directory.path, wal, found, () => progress.add(record.walSegmentSize))
  }
  let recovered: RecoveryLog | null = null
  let superusers: string[] = []
  const removal = { user, runtime: () => Promise.resolve(runtime) }
  await bringIntoBeing(directory, change, removal, async ({ directory: staging }) => {
    await copyBackup(directory, backup, record, staging.here, user, { progress, signal })
    await resetCopiedSettings(staging.here, user)
    const serverUser = user && { ...user, closed: await closedAbove(staging.path, user) }
    const needed = [...reach.files, ...reach.histories]
    const readable = await readableWal(staging, serverUser, wal, needed)
    progress.begin('recovering', reach.files.length * record.walSegmentSize)
    const refuse = async () => {
      const found = archive.read({ files: reach.files, past, origin: record })
      await refuseDamaged(directory.path, wal, found)
    }
    recovered = await recover(staging, {
      runtime,
      user: serverUser,
      superuser: record.superuser,
      wal: readable.path,
      segmentSize: record.walSegmentSize,
      timeline: timeline === record.timeline ? null : timeline,
      target: target?.settings ?? {},
      settings: record.settings,
      progress,
      signal,
    }).catch(async (error: unknown) => {
      await refuse()
      throw error
    })
    // Before 13, a server that reaches the end of the WAL before its target does not report an error.
    if (target !== null && recovered.stopped === null) {
      await refuse()
      throw targetNotReached(directory.path, target.description, recovered, reach.missing)
    }
    progress.begin('finishing')
    if (readable.isCopy) await removeTree(staging.file(readable.path))
    superusers = await superusersWhileStopped(staging, runtime, serverUser)
    await rm(staging.mark, { force: true })
    return superusers.includes(record.superuser)
      ? record.superuser
      : (superusers[0] ?? record.superuser)
  })
  const { lsn = null, lastTransaction = null } = (recovered as RecoveryLog | null) ?? {}
  return { backup, lsn, lastTransaction, superusers }
}

async function refuseDamaged(
  dataDir: string,
  wal: string,
  files: AsyncIterable<ReadFile>,
  onFile: () => void = () => undefined,
): Promise<void> {
  for await (const { name, what } of files) {
    if (what !== null) {
      const why = `${what}, so that nothing after it can be restored`
      throw backupDamaged(dataDir, join(wal, name), why)
    }
    onFile()
  }
}

/** Copies the files of a backup, and verifies their checksums. */
async function copyBackup(
  directory: DataDirectory,
  backup: Backup,
  record: BackupRecord,
  to: string,
  owner: ServerUser | null,
  { progress, signal }: Pick<Building, 'progress' | 'signal'>,
): Promise<void> {
  progress.begin('copying', backup.size)
  const tree = await listTree(backup.path, (path) => (path === recordName ? 'skip' : 'copy'))
  const copied = await copyTree(backup.path, to, tree, {
    owner,
    of: sourceOwner(backup.path),
    // The server syncs all files before it recovers.
    durable: false,
    signal,
    onBytes: (bytes) => progress.add(bytes),
  })
  const found = new Map(copied.map((file) => [file.path, file]))
  for (const { path, size, sha256 } of record.files) {
    const file = found.get(path)
    const why =
      file === undefined
        ? 'is missing'
        : file.size !== size || file.sha256 !== sha256
          ? 'is not what was backed up'
          : null
    if (why !== null) throw backupDamaged(directory.path, join(backup.path, path), why)
  }
}
