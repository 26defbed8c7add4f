import { join } from 'node:path'
import type { BackupDirectory } from './backup-directory.ts'
import type { Plan } from './choose-backup.ts'
import { timelineAt } from './timeline.ts'
import { type Lsn, parseLsn, parseSegmentName, segmentOf, startOf } from './wal-position.ts'
import { WalReader, type WalRecord } from './wal-reader.ts'

/** A restore point, as `pg_create_restore_point` makes them. */
export interface RestorePoint {
  readonly name: string
  readonly lsn: Lsn
}

/** Looks for restore points in archived WAL, each file of which it reads once. */
export class RestorePoints {
  private readonly wal: string
  private readonly signal: AbortSignal | undefined
  private readonly known = new Map<string, readonly RestorePoint[]>()

  constructor({ wal }: BackupDirectory, signal?: AbortSignal) {
    this.wal = wal
    this.signal = signal
  }

  /** The latest of a name that can be reached from a backup; `null` if there is none. */
  async find(name: string, { record, reach, past }: Plan): Promise<RestorePoint | null> {
    const { walSegmentSize: segmentSize, stopLsn } = record
    const stop = parseLsn(stopLsn) ?? 0n
    let points: RestorePoint[] = []
    const reader = new WalReader(
      {
        major: Number.parseInt(record.version, 10),
        systemIdentifier: BigInt(record.systemIdentifier),
        segmentSize,
      },
      (found) => {
        const point = restorePointOf(found)
        if (point !== null) points.push(point)
      },
    )
    let best: RestorePoint | null = null
    let wasKnown = false
    for (const file of reach.files) {
      const number = parseSegmentName(file, segmentSize)?.number ?? 0n
      if (number < segmentOf(stop, segmentSize)) continue
      const known = this.known.get(file)
      // One that follows one that was read now, so as to have the record that goes on into it.
      if (known === undefined || !wasKnown) {
        points = []
        const path = join(this.wal, file)
        const start = startOf(number, segmentSize)
        // What is wrong with it is found again when it is replayed.
        await reader.read({ path, start, timelineAt: timelineAt(past) }, this.signal)
        this.known.set(file, points)
      }
      wasKnown = known !== undefined
      const candidates = this.known.get(file)?.filter((one) => one.name === name && one.lsn >= stop)
      best = candidates?.at(-1) ?? best
    }
    return best
  }
}

/** Source: `xl_restore_point` in PostgreSQL's `xlog_internal.h`, and `XLOG_RESTORE_POINT` in `pg_control.h`. */
function restorePointOf({ resourceManager, info, body, lsn }: WalRecord): RestorePoint | null {
  if (resourceManager !== 0 || info !== 0x70 || body[0] !== 255) return null
  // A mark and a length; a time; the name, and zeros after it.
  const text = body.subarray(10, 74)
  const end = text.indexOf(0)
  return { name: text.toString('utf8', 0, end === -1 ? text.length : end), lsn }
}
