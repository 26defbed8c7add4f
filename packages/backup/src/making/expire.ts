import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError, HeldDirectory } from '@howdah/data-directory'
import type { BackupDirectory } from '../directory/backup-directory.ts'
import { type BackupRecord, readRecord } from '../directory/backup-record.ts'
import { parseLsn, parseSegmentName, segmentOf } from '@howdah/wal'

/**
 * Removes all backups except the newest ones, and the WAL that only the removed ones needed. Gives the numbers of the removed
 * backups. Called under the lock, so that nobody restores or makes a backup meanwhile.
 *
 * A backup with a damaged record does not count as kept, and is removed with the older ones. Timeline histories are kept.
 * A kill leaves at most WAL that no backup needs, which the next call removes.
 */
export async function expire(into: BackupDirectory, keep: number): Promise<number[]> {
  const numbers = await into.numbers()
  const kept: BackupRecord[] = []
  for (const number of numbers.toReversed()) {
    if (kept.length === keep) break
    const record = await readRecord(into.here(into.data(number))).catch(damaged)
    if (record !== null) kept.push(record)
  }
  const oldest = kept.at(-1)
  if (oldest === undefined || kept.length < keep) return []
  const doomed = numbers.filter((number) => number < oldest.number)
  // From then on no backup needs their WAL.
  for (const number of doomed) await into.remove(number)
  await removeWal(into.here(into.wal), kept)
  return doomed
}

/** Removes the WAL before the oldest of the given backups, on all timelines. */
async function removeWal(wal: string, kept: readonly BackupRecord[]): Promise<void> {
  const size = Math.max(...kept.map(({ walSegmentSize }) => walSegmentSize))
  const starts = kept.map(({ startLsn }) => segmentOf(parseLsn(startLsn) ?? 0n, size))
  const first = starts.reduce((one, other) => (one < other ? one : other))
  using held = HeldDirectory.open(wal)
  for (const name of await readdir(held.path)) {
    // A segment, an unfinished segment from the end of a timeline, or the server's history file of a backup.
    const [, segment] = /^([\dA-F]{24})(?:\.partial|\.[\dA-F]{8}\.backup)?$/.exec(name) ?? []
    const number = segment === undefined ? null : parseSegmentName(segment, size)?.number
    if (number != null && number < first) await rm(join(held.path, name), { force: true })
  }
}

function damaged(error: unknown): null {
  if (error instanceof ClusterError && error.code === 'ERR_CLUSTER_BACKUP_DAMAGED') return null
  throw error
}
