import type { BackupFinding } from './finding.ts'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backup } from '../backup.ts'
import { BackupDirectory } from '../directory/backup-directory.ts'
import { type BackupRecord, describe, readRecord, recordName } from '../directory/backup-record.ts'
import { listTree } from '../tree/list-tree.ts'
import { digestFile } from '../directory/digest-file.ts'
import { ClusterError, explain } from '@howdah/data-directory'
import { ProgressReport } from '../progress-report.ts'
import type { WorkOptions } from '../work-options.ts'
import { verifyWal } from './verify-wal.ts'
import { parseLsn, WalArchive } from '@howdah/wal'

/** How to verify backups. */
export type VerifyOptions = WorkOptions

/** The backups in a directory, and the problems that were found. */
export interface Verification {
  /** The backups with a readable record, oldest first. */
  readonly backups: readonly Backup[]
  /** How many WAL files were read. They are all that can be replayed on the backups. */
  readonly walFiles: number
  /** The problems; empty if everything can be restored. */
  readonly findings: readonly BackupFinding[]
}

/**
 * Reads all backups in a directory and all WAL that was archived since the first one. Reports missing files, changed files,
 * and gaps in the WAL. Changes nothing.
 *
 * Throws `ERR_CLUSTER_NO_BACKUP` if there are no backups, and `ERR_CLUSTER_BACKUP_DIRECTORY` or `ERR_CLUSTER_PERMISSION` if
 * the directory cannot be read.
 */
export async function verifyBackups(
  directory: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { signal, waitTimeout: timeout, onWait } = options
  const progress = new ProgressReport(options.onProgress)
  progress.begin('preparing')
  const at = new BackupDirectory(directory)
  const identifier = await at.owner(at.path)
  try {
    const lock = await at.lock('shared', { timeout, signal, onWait })
    try {
      return await verify(at, identifier, progress, signal)
    } finally {
      lock.release()
    }
  } catch (error) {
    throw explain(error, at.path, at.path)
  }
}

async function verify(
  at: BackupDirectory,
  identifier: string,
  progress: ProgressReport,
  signal: AbortSignal | undefined,
): Promise<Verification> {
  const findings: BackupFinding[] = []
  const records: BackupRecord[] = []
  const numbers = await at.numbers()
  if (numbers.length === 0) {
    findings.push({ path: at.path, what: 'has no backup at all', remedy: 'back up again' })
  }
  for (const number of numbers) {
    const record = await recordOf(at, number, identifier, findings)
    if (record !== null) records.push(record)
  }
  const backups = records.map((record) => describe(at.data(record.number), record))
  const segmentSize = records.at(-1)?.walSegmentSize ?? 0
  const hasWal = existsSync(at.wal)
  if (!hasWal) {
    findings.push({ path: at.wal, what: 'is missing, with all WAL', remedy: 'back up again' })
  }
  const archive = segmentSize === 0 || !hasWal ? null : await WalArchive.read(at.wal, segmentSize)
  const bytes = records.reduce((sum, { size }) => sum + size, 0)
  const start = parseLsn(records[0]?.startLsn ?? '') ?? 0n
  progress.begin('verifying', bytes + (archive?.countFrom(start) ?? 0) * segmentSize)
  for (const record of records) await verifyFiles(at, record, findings, progress, signal)
  const walFiles =
    archive === null ? 0 : await verifyWal(archive, records, findings, progress, signal)
  const { bavail, bsize } = await statfs(hasWal ? at.wal : at.path)
  if (bavail * bsize < segmentSize) {
    findings.push({
      path: at.wal,
      what: 'has no room for another WAL file, so that nothing is archived',
      remedy: 'make room there; the server archives then what it has kept',
    })
  }
  return { backups, walFiles, findings }
}

const another = 'back up again, and remove that one'

async function recordOf(
  at: BackupDirectory,
  number: number,
  identifier: string,
  findings: BackupFinding[],
): Promise<BackupRecord | null> {
  const path = join(at.data(number), recordName)
  let what
  try {
    const record = await readRecord(at.data(number))
    if (record.systemIdentifier === identifier && record.number === number) return record
    what = 'is the record of another backup'
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === 'ERR_CLUSTER_BACKUP_DAMAGED')) throw error
    what = error.why ?? error.message
  }
  findings.push({ path, what, remedy: another })
  return null
}

async function verifyFiles(
  at: BackupDirectory,
  { number, files }: BackupRecord,
  findings: BackupFinding[],
  progress: ProgressReport,
  signal: AbortSignal | undefined,
): Promise<void> {
  const find = (path: string, what: string) => {
    findings.push({ path: join(at.data(number), path), what, remedy: another })
  }
  const unknown = new Set((await listTree(at.data(number))).files.map(({ path }) => path))
  unknown.delete(recordName)
  for (const { path, size, sha256 } of files) {
    unknown.delete(path)
    try {
      const found = await digestFile(join(at.data(number), path), signal)
      if (found.size !== size) find(path, `has ${found.size} bytes and not ${size}`)
      else if (found.sha256 !== sha256) find(path, 'is not what was backed up')
    } catch (error) {
      if (signal?.aborted) throw error
      find(path, whyUnread(error))
    }
    progress.add(size)
  }
  for (const path of unknown) find(path, 'was not backed up, and does not belong here')
}

/** Why a file cannot be read. */
function whyUnread(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? 'is missing' : `cannot be read: ${message}`
}
