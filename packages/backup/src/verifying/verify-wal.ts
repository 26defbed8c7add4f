import { join } from 'node:path'
import type { BackupRecord } from '../directory/backup-record.ts'
import type { ProgressReport } from '../progress-report.ts'
import type { BackupFinding } from './finding.ts'
import { parseLsn, segmentName, segmentOf, type WalArchive, WalWalk } from '@howdah/wal'

const lost =
  'what comes after it cannot be restored from earlier backups, unless the file is put back; back up again, so that ' +
  'there is a backup after it'

/** Reads all WAL that can be replayed on the given backups, on every timeline. Gives the number of files. */
export async function verifyWal(
  archive: WalArchive,
  records: readonly BackupRecord[],
  findings: BackupFinding[],
  progress: ProgressReport,
  signal: AbortSignal | undefined,
): Promise<number> {
  const find = (name: string, what: string, remedy: string) => {
    findings.push({ path: join(archive.path, name), what, remedy })
  }
  for (const name of archive.unreadable) {
    const remedy = 'put the file back; the server has it in pg_wal'
    find(name, 'does not tell where its timeline came from', remedy)
  }
  const missing = new Set<string>()
  const walk = new WalWalk(archive.path, signal)
  for (const timeline of archive.timelines(records.map((record) => record.timeline))) {
    for (const record of records) {
      if (!isOn(archive, record, timeline)) continue
      const { files, missing: next } = archive.reach(parseLsn(record.startLsn) ?? 0n, timeline)
      const lacks = next ?? firstMissing(archive, record, files.length)
      if (lacks !== null) missing.add(lacks)
      const past = archive.past(timeline) ?? [{ timeline, end: null }]
      for await (const { name, what } of walk.read({ files, past, origin: record })) {
        if (what !== null) find(name, what, lost)
        progress.add(archive.segmentSize)
      }
    }
  }
  for (const name of missing) find(name, 'is missing', lost)
  return walk.files
}

/** Whether WAL of a timeline can be replayed on a backup. */
function isOn(archive: WalArchive, record: BackupRecord, timeline: number): boolean {
  const stop = parseLsn(record.stopLsn) ?? 0n
  return timeline === record.timeline || archive.leadsTo(record.timeline, stop, timeline)
}

/** The first missing file that a backup needs, if no later file is there either. */
function firstMissing(
  { segmentSize }: WalArchive,
  { startLsn, stopLsn, timeline }: BackupRecord,
  files: number,
): string | null {
  const [start, stop] = [parseLsn(startLsn) ?? 0n, parseLsn(stopLsn) ?? 0n]
  const number = segmentOf(start, segmentSize) + BigInt(files)
  return number <= segmentOf(stop - 1n, segmentSize)
    ? segmentName({ timeline, number }, segmentSize)
    : null
}
