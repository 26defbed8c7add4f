import type { Plan } from '../directory/choose-backup.ts'
import {
  type Lsn,
  parseLsn,
  parseSegmentName,
  segmentOf,
  type WalRecord,
  WalWalk,
} from '@howdah/wal'

/** A restore point that `pg_create_restore_point` has made. */
export interface RestorePoint {
  readonly name: string
  readonly lsn: Lsn
  /** The WAL file that contains it. */
  readonly file: string
}

/** Looks for restore points in archived WAL. It reads each file once. */
export class RestorePoints {
  readonly #walk: WalWalk
  readonly #known: RestorePoint[] = []

  constructor(wal: string, signal?: AbortSignal) {
    this.#walk = new WalWalk(wal, signal, (record, file) => {
      const name = nameOf(record)
      if (name !== null) this.#known.push({ name, lsn: record.lsn, file })
    })
  }

  /** The latest restore point with a name that can be reached from a backup; `null` if there is none. */
  async find(name: string, { record, reach, past }: Plan): Promise<RestorePoint | null> {
    const stop = parseLsn(record.stopLsn) ?? 0n
    const first = segmentOf(stop, record.walSegmentSize)
    const files = reach.files.filter(
      (file) => (parseSegmentName(file, record.walSegmentSize)?.number ?? 0n) >= first,
    )
    for await (const _ of this.#walk.read({ files, past, origin: record })) {
      // Damage is ignored here, because it is found again when the file is replayed.
    }
    const found = this.#known.filter(
      (point) => point.name === name && point.lsn >= stop && files.includes(point.file),
    )
    return found.toSorted((one, other) => (one.lsn < other.lsn ? -1 : 1)).at(-1) ?? null
  }
}

/** Source: `xl_restore_point` in PostgreSQL's `xlog_internal.h`, and `XLOG_RESTORE_POINT` in `pg_control.h`. */
function nameOf({ resourceManager, info, body }: WalRecord): string | null {
  if (resourceManager !== 0 || info !== 0x70 || body[0] !== 255) return null
  // A mark and a length; a time; the name, and zeros after it.
  const text = body.subarray(10, 74)
  const end = text.indexOf(0)
  return text.toString('utf8', 0, end === -1 ? text.length : end)
}
