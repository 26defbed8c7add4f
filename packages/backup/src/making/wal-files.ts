import type pg from 'pg'
import type { BaseBackup } from './base-backup.ts'
import { parseLsn, segmentName, segmentOf } from '@howdah/wal'

/** The size of a server's WAL files in bytes. */
export async function segmentSizeOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ size: number }>(
    'SELECT bytes_per_wal_segment AS size FROM pg_catalog.pg_control_init()',
  )
  return rows[0]?.size ?? 16 * 1024 * 1024
}

/** The names of all WAL files with WAL that a base backup needs. */
export function walFilesOf(
  { timeline, startLsn, stopLsn }: Pick<BaseBackup, 'timeline' | 'startLsn' | 'stopLsn'>,
  size: number,
): string[] {
  const [start, stop] = [parseLsn(startLsn) ?? 0n, parseLsn(stopLsn) ?? 0n]
  // If the backup stops at the end of a file, that file is the last one.
  const last = segmentOf(stop - 1n, size)
  const files = []
  for (let number = segmentOf(start, size); number <= last; number += 1n) {
    files.push(segmentName({ timeline, number }, size))
  }
  return files
}
