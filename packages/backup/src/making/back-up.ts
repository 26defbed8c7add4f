import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '@howdah/durable'
import {
  closedAbove,
  type DataDirectory,
  explain,
  explained,
  HeldDirectory,
  notPermitted,
  readLog,
  readSystemIdentifier,
  removeTree,
} from '@howdah/data-directory'
import {
  type Coordination,
  insideOf,
  type Joinable,
  joinCluster,
  clusterMissing,
} from '@howdah/cluster/inside'
import { type Cluster, postgres } from '@howdah/cluster'
import { archivingServer } from './archiving-server.ts'
import { awaitArchive } from './await-archive.ts'
import type { Backup } from '../backup.ts'
import { BackupDirectory } from '../directory/backup-directory.ts'
import { describe, writeRecord } from '../directory/backup-record.ts'
import { takeBaseBackup } from './base-backup.ts'
import { expire } from './expire.ts'
import { neededSettings } from './needed-settings.ts'
import { ProgressReport } from '../progress-report.ts'
import type { WorkOptions } from '../work-options.ts'
import { publishHistory } from './publish-history.ts'
import { segmentSizeOf, walFilesOf } from './wal-files.ts'

/** How to back up a cluster. */
export interface BackupOptions extends WorkOptions {
  /** The directory for the backups and the WAL of the cluster. It is made if it is missing. */
  into: string
  /** How many backups to keep, including this one. Older ones are removed with the WAL that only they need. */
  keep?: number | undefined
  /** How long a start of the server may take, in ms; 60,000 by default. */
  timeout?: number | undefined
}

/** A backup that was made. */
export interface BackedUp extends Backup {
  /** The numbers of the older backups that were removed. */
  readonly expired: readonly number[]
}

/** The cluster to back up. */
type BackupSource = Joinable & Pick<Coordination, 'user'>

/**
 * Makes a base backup in a directory, and makes sure that the server archives its WAL there from now on, so that the cluster
 * can be restored to any later time. A stopped server is started for this.
 *
 * Archiving is set up once, by a restart, which is only possible while nobody else uses the server (`ERR_CLUSTER_IN_USE`).
 * Throws
 * `ERR_CLUSTER_FOREIGN_ARCHIVING` if something else archives already, `ERR_CLUSTER_BACKUP_DIRECTORY` for a directory that holds something
 * other than backups of this cluster, `ERR_CLUSTER_ARCHIVE_FAILED`, `ERR_CLUSTER_DISK_FULL`; earlier backups stay complete.
 * With `keep`, old backups are removed after this one is complete.
 */
export async function backUpCluster(cluster: Cluster, options: BackupOptions): Promise<BackedUp> {
  const { coordination } = insideOf(cluster)
  return await explained(cluster.dataDir, async () => await make(await coordination(), options))
}

async function make(source: BackupSource, options: BackupOptions): Promise<BackedUp> {
  const { directory, user } = source
  const { signal, waitTimeout: timeout, onWait, keep } = options
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0)) {
    throw new RangeError(`keep is ${keep}, and has to be a whole number of backups from 1 on`)
  }
  const progress = new ProgressReport(options.onProgress)
  progress.begin('preparing')
  if (!(await source.free.exists())) throw clusterMissing(directory.path)
  const named = new BackupDirectory(options.into)
  try {
    const identifier = await readSystemIdentifier(directory.path)
    const waiting = { timeout, signal, onWait }
    using open = await named.open(directory.path, identifier, user, waiting)
    const into = open.directory
    await refuseUnreachable(into, source)
    await into.sweep()
    const backup = await add(source, into, progress, options)
    return { ...backup, expired: keep === undefined ? [] : await expire(into, keep) }
  } catch (error) {
    throw explain(error, directory.path, named.path)
  }
}

/** Adds a backup to the directory, under its lock. */
async function add(
  source: BackupSource,
  into: BackupDirectory,
  progress: ProgressReport,
  options: BackupOptions,
): Promise<Backup> {
  const { directory } = source
  const { signal } = options
  const log = await startOfLog(directory)
  await using session = await joinCluster(
    source,
    runOptions(options),
    async (shared, joining) => await archivingServer(shared, joining, { ...source, wal: into.wal }),
  )
  const client = await session.connect(postgres)
  const { version } = session.runtime
  const staging = into.here(into.newStaging())
  try {
    using made = HeldDirectory.make(staging, null)
    const base = await takeBaseBackup(client, {
      dataDir: directory.path,
      to: made.path,
      major: version.major,
      checksums: true,
      durable: true,
      progress,
      signal,
    })
    await publishHistory(directory, into, base.timeline, source.user)
    const walSegmentSize = await segmentSizeOf(client)
    const files = walFilesOf(base, walSegmentSize)
    progress.begin('archiving', files.length * walSegmentSize)
    await awaitArchive(client, {
      dataDir: directory.path,
      wal: into.wal,
      files,
      walSegmentSize,
      log: async () => await readLog(directory, log),
      wake: async () => await (await session.connect(postgres)).end(),
      onFile: () => progress.add(walSegmentSize),
      signal,
    })
    progress.begin('finishing')
    const number = ((await into.numbers()).at(-1) ?? 0) + 1
    const record = {
      number,
      version: version.toString(),
      systemIdentifier: String(await readSystemIdentifier(directory.path)),
      walSegmentSize,
      size: base.files.reduce((sum, { size }) => sum + size, 0),
      superuser: session.address.user,
      settings: await neededSettings(client),
      ...base,
    }
    await writeRecord(made.path, record)
    await syncDirectory(made.path)
    const path = into.data(number)
    await rename(staging, into.here(path))
    await syncDirectory(into.here(into.path))
    return describe(path, record)
  } finally {
    await removeTree(staging)
  }
}

/** Throws if the archiver, which runs as the server's user, could not enter the archive's directory. */
async function refuseUnreachable(
  into: BackupDirectory,
  { directory, user }: BackupSource,
): Promise<void> {
  if (user === null) return
  const closed = await closedAbove(join(into.wal, 'x'), user)
  if (closed === null) return
  throw notPermitted(
    directory.path,
    closed,
    `the server of ${directory.path} runs as ${user.name}, who cannot enter ${closed}, and so cannot archive into ` +
      `${into.path}; back up into a directory elsewhere, or open it with: chmod o+x ${closed}`,
  )
}

function runOptions({ timeout, waitTimeout, signal, onWait }: BackupOptions) {
  return { ifExists: true, timeout, waitTimeout, signal, onWait }
}

/** The present length of the server's log in bytes; 0 if howdah keeps no log. */
async function startOfLog(directory: DataDirectory): Promise<number> {
  return await stat(directory.logFile).then(
    ({ size }) => size,
    () => 0,
  )
}
