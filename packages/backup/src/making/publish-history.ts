import { join } from 'node:path'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import type { BackupDirectory } from '../directory/backup-directory.ts'
import { unusableDirectory } from '../errors.ts'
import { historyName } from '@howdah/wal'

/**
 * Puts the history of a cluster's timeline into the archive. The server itself does so only if archiving was on when the
 * timeline began. Without the history, earlier backups cannot be restored to that timeline.
 *
 * Throws `ERR_CLUSTER_BACKUP_DIRECTORY` if the archive has another timeline with the same number.
 */
export async function publishHistory(
  directory: DataDirectory,
  into: BackupDirectory,
  timeline: number,
  user: ServerUser | null,
): Promise<void> {
  if (timeline === 1) return
  const name = historyName(timeline)
  const own = readIfThere(directory.file('pg_wal', name))
  if (own === null) return
  const wal = into.here(into.wal)
  const archived = readIfThere(join(wal, name))
  if (archived === own) return
  if (archived === null) return await writeOwnFile(join(wal, name), own, user)
  const why =
    `it has the WAL of another timeline ${timeline}, such as of another cluster that was restored from it; ` +
    'use a directory for each'
  throw unusableDirectory(directory.path, into.wal, why)
}
