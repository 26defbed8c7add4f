import { join } from 'node:path'
import type { Stretch } from './timeline.ts'
import { timelineAt } from './timeline.ts'
import { parseSegmentName, startOf } from './wal-position.ts'
import { WalReader, type WalRecord } from './wal-reader.ts'

/** An archived WAL file that was read. */
export interface ReadFile {
  readonly name: string
  /** The damage of the file; `null` if it is intact. */
  readonly what: string | null
}

/** The server that wrote some WAL. */
export interface WalOrigin {
  /** PostgreSQL's version, such as `18.1`. */
  readonly version: string
  /** Decimal digits. */
  readonly systemIdentifier: string
  /** In bytes. */
  readonly walSegmentSize: number
}

/** WAL files in the order in which they are replayed. */
export interface Way {
  readonly files: readonly string[]
  /** The timelines of the files. */
  readonly past: readonly Stretch[]
  readonly origin: WalOrigin
}

/** Reads archived WAL. Each file is read once, however many ways lead through it. */
export class WalWalk {
  readonly #wal: string
  readonly #signal: AbortSignal | undefined
  readonly #onRecord: (record: WalRecord, file: string) => void
  readonly #done = new Set<string>()

  /** `onRecord` may be told of a record twice. */
  constructor(
    wal: string,
    signal: AbortSignal | undefined,
    onRecord: (record: WalRecord, file: string) => void = () => undefined,
  ) {
    this.#wal = wal
    this.#signal = signal
    this.#onRecord = onRecord
  }

  /** How many files were read. */
  get files(): number {
    return this.#done.size
  }

  /** Reads the files on the way that were not read before. */
  async *read({ files, past, origin }: Way): AsyncGenerator<ReadFile> {
    const { walSegmentSize: segmentSize } = origin
    let current = ''
    const newReader = () =>
      new WalReader(
        {
          major: Number.parseInt(origin.version, 10),
          systemIdentifier: BigInt(origin.systemIdentifier),
          segmentSize,
        },
        (found) => this.#onRecord(found, current),
      )
    const readWith = async (reader: WalReader, name: string) => {
      current = name
      const number = parseSegmentName(name, segmentSize)?.number ?? 0n
      const start = startOf(number, segmentSize)
      const segment = { path: join(this.#wal, name), start, timelineAt: timelineAt(past) }
      return await reader.read(segment, this.#signal)
    }
    let reader: WalReader | null = null
    for (const [index, name] of files.entries()) {
      if (this.#done.has(name)) {
        // The file before is read again, because its last record may continue in the next file.
        if (reader !== null) await readWith(reader, name)
        reader = null
        continue
      }
      const before = files[index - 1]
      if (reader === null) {
        reader = newReader()
        if (before !== undefined) await readWith(reader, before)
      }
      this.#done.add(name)
      yield { name, what: await readWith(reader, name) }
    }
  }
}
