import { join } from 'node:path'
import { readPlainFile } from '@howdah/lock'
import { writeOwnFile } from '@howdah/data-directory'
import type { Backup } from '../backup.ts'
import { backupDamaged } from '../errors.ts'
import type { CopiedFile } from '../tree/copy-tree.ts'

/** The record of a base backup, kept in a file beside the copied ones. */
export interface BackupRecord extends Omit<Backup, 'path'> {
  /** The superuser that made the backup. */
  readonly superuser: string
  /**
   * The transactions at the end of the backup: `xmin:xmax:running`, as PostgreSQL prints a snapshot. The backup cannot be
   * recovered to a transaction that had ended by then.
   */
  readonly snapshot: string
  /** Settings that a server may need to replay the WAL, and that may have been on the command line. */
  readonly settings: Readonly<Record<string, string>>
  /** All its files but the record. */
  readonly files: readonly CopiedFile[]
}

/** The name of the record in a backup's directory. It appears last, and never in a data directory. */
export const recordName = 'howdah.backup'

/** Writes the record, which completes a backup. */
export async function writeRecord(directory: string, record: BackupRecord): Promise<void> {
  const text = JSON.stringify({ format: 1, ...record })
  await writeOwnFile(join(directory, recordName), `${text}\n`, null)
}

/** Reads a backup's record. Throws `ERR_CLUSTER_BACKUP_DAMAGED` if it is missing or unreadable. */
export async function readRecord(directory: string): Promise<BackupRecord> {
  const path = join(directory, recordName)
  try {
    const { format, startedAt, endedAt, ...record } = JSON.parse(
      // The record lists all files of the cluster, so it may be long.
      readPlainFile(path, { limit: 2 ** 28 }),
    ) as BackupRecord & { format: unknown; startedAt: string; endedAt: string }
    if (format !== 1) throw new Error(`it is of format ${String(format)}`)
    if (!Array.isArray(record.files)) throw new Error('it lists no files')
    return { ...record, startedAt: new Date(startedAt), endedAt: new Date(endedAt) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw backupDamaged(directory, path, `cannot be read: ${why}`, { cause })
  }
}

/** The public part of a record. */
export function describe(path: string, record: BackupRecord): Backup {
  const { superuser: _, snapshot: _1, settings: _2, files: _3, ...rest } = record
  return { ...rest, path }
}
