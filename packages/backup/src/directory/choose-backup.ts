import type { Backup } from '../backup.ts'
import type { BackupDirectory } from './backup-directory.ts'
import { type BackupRecord, describe, readRecord } from './backup-record.ts'
import { noBackup } from '../errors.ts'
import { parseLsn, type Reach, segmentName, segmentOf, type Stretch, WalArchive } from '@howdah/wal'

/** What to restore. */
export interface Plan {
  readonly backup: Backup
  readonly record: BackupRecord
  /** The timeline to follow. */
  readonly timeline: number
  /** The timelines on the way, ending with that timeline. */
  readonly past: readonly Stretch[]
  /** The archived WAL for it. */
  readonly reach: Reach
}

/** Which backup and which timeline to use; by default the newest usable ones. */
export interface Choice {
  readonly number?: number | undefined
  readonly timeline?: number | undefined
}

/** A condition. It gives the reason why it is not met, or `null`. */
export type Condition = (plan: Plan) => string | null | Promise<string | null>

/**
 * The newest backup that meets a condition, and has the WAL that it needs.
 *
 * Throws `ERR_CLUSTER_NO_BACKUP`, which says for each backup why it cannot be used.
 */
export async function chooseBackup(
  dataDir: string,
  from: BackupDirectory,
  { number, timeline }: Choice,
  condition: Condition,
): Promise<Plan> {
  const all = await from.numbers()
  const numbers = number === undefined ? all.toReversed() : all.filter((one) => one === number)
  if (numbers.length === 0) {
    const which = number === undefined ? 'no backup' : `no backup ${number}`
    throw noBackup(dataDir, `there is ${which} in ${from.path}`)
  }
  const reasons = []
  for (const one of numbers) {
    const plan = await planOf(from, one, timeline, condition)
    if (typeof plan !== 'string') return plan
    reasons.push(`backup ${one} ${plan}`)
  }
  throw noBackup(dataDir, `no backup in ${from.path} will do: ${reasons.join('; ')}`)
}

async function planOf(
  from: BackupDirectory,
  number: number,
  wanted: number | undefined,
  condition: Condition,
): Promise<Plan | string> {
  const path = from.data(number)
  let record
  try {
    record = await readRecord(path)
  } catch {
    return 'is damaged'
  }
  const archive = await WalArchive.read(from.wal, record.walSegmentSize)
  const [start, stop] = [parseLsn(record.startLsn) ?? 0n, parseLsn(record.stopLsn) ?? 0n]
  const timeline = wanted ?? archive.newest(record.timeline, stop)
  if (timeline !== record.timeline && !archive.leadsTo(record.timeline, stop, timeline)) {
    return `is of timeline ${record.timeline}, from which none leads to timeline ${timeline}`
  }
  const reach = archive.reach(start, timeline)
  const needed =
    segmentOf(stop - 1n, record.walSegmentSize) - segmentOf(start, record.walSegmentSize)
  if (BigInt(reach.files.length) <= needed) {
    const first = { timeline: record.timeline, number: segmentOf(start, record.walSegmentSize) }
    return `lacks the WAL file ${reach.missing ?? segmentName(first, record.walSegmentSize)}`
  }
  const past = archive.past(timeline) ?? [{ timeline, end: null }]
  const plan = { backup: describe(path, record), record, timeline, past, reach }
  return (await condition(plan)) ?? plan
}
