import { ClusterError } from '@howdah/data-directory'

/** The directory contains other files, or backups of another cluster. It was not changed. */
export function unusableDirectory(
  dataDir: string,
  path: string,
  why: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_BACKUP_DIRECTORY',
    dataDir,
    `${path} cannot be used for backups: ${why}`,
    { ...options, path },
  )
}

/** Another program's command archives the cluster's WAL, or howdah archives it to another place. Nothing was changed. */
export function foreignArchiving(dataDir: string, found: string, message: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_FOREIGN_ARCHIVING', dataDir, message, { found })
}

/** Archiving begins only after a restart, and howdah may not restart the server. */
export function restartNeeded(dataDir: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_RESTART_NEEDED',
    dataDir,
    `the server on ${dataDir} is set up to archive its WAL now, which begins with its next start, and howdah did not ` +
      'start it; restart it, and back up again',
  )
}

/** The cluster cannot be backed up or cloned in its present state. */
export function backupUnsupported(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_BACKUP_UNSUPPORTED',
    dataDir,
    `cannot copy ${dataDir}: ${why}`,
  )
}

/** The server cannot archive its WAL. It keeps the WAL and goes on trying. The new backup was removed. */
export function archiveFailed(dataDir: string, walFile: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_ARCHIVE_FAILED',
    dataDir,
    `the server on ${dataDir} cannot archive ${walFile}: ${why}; mend that, and back up again`,
    { walFile },
  )
}

/** There is no backup to restore, or none from before the requested point. */
export function noBackup(dataDir: string, message: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_NO_BACKUP', dataDir, message)
}

/** The target of a restore is invalid. */
export function invalidTarget(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_INVALID_TARGET',
    dataDir,
    `cannot restore ${dataDir}: ${why}`,
  )
}

/** The archived WAL ends before the target of a restore. Nothing was restored. */
export function targetNotReached(
  dataDir: string,
  target: string,
  end: { readonly lsn: string | null; readonly lastTransaction: string | null },
  missing: string | null,
): ClusterError {
  const last =
    end.lastTransaction === null
      ? 'without any transaction'
      : `with a transaction of ${end.lastTransaction}`
  const where = end.lsn === null ? '' : ` at LSN ${end.lsn},`
  const gap = missing === null ? '' : `, because it lacks the WAL file ${missing}`
  return new ClusterError(
    'ERR_CLUSTER_TARGET_NOT_REACHED',
    dataDir,
    `cannot restore ${dataDir} to ${target}: what was archived ends before,${where} ${last}${gap}; ` +
      'restore up to an earlier point or the latest there is, or archive more with another backup',
    { lsn: end.lsn, lastTransaction: end.lastTransaction },
  )
}

/** A file of a backup, or of its WAL, is missing or has changed. */
export function backupDamaged(
  dataDir: string,
  path: string,
  why: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_BACKUP_DAMAGED',
    dataDir,
    `${path} ${why}; restore another backup or up to a point before it, and verify them all`,
    { ...options, path, why },
  )
}

/** The server could not recover the restored files. Nothing was restored. */
export function recoveryFailed(
  dataDir: string,
  why: string,
  log: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_RECOVERY_FAILED',
    dataDir,
    `cannot recover ${dataDir}: ${why}${log === '' ? '' : `; the server's log says:\n${log.replaceAll(/^/gm, '    ')}`}`,
    { ...options, log },
  )
}

/** The cluster has a branch of this name. It was not changed. */
export function branchExists(dataDir: string, name: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_BRANCH_EXISTS',
    dataDir,
    `there is a branch "${name}" already; drop it first, or choose another name`,
  )
}

/** The cluster has no branch of this name. */
export function branchMissing(
  dataDir: string,
  name: string,
  others: readonly string[],
): ClusterError {
  const there = others.length === 0 ? 'there are none' : `there are ${others.join(', ')}`
  return new ClusterError(
    'ERR_CLUSTER_BRANCH_MISSING',
    dataDir,
    `there is no branch "${name}" of the cluster in ${dataDir}; ${there}`,
  )
}

/** The name cannot be that of a branch. */
export function invalidBranch(dataDir: string, name: string, problem: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_INVALID_BRANCH',
    dataDir,
    `${JSON.stringify(name)} cannot be the name of a branch: it ${problem}; choose another one`,
  )
}
