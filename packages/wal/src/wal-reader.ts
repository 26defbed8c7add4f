import { openPlainFile } from '@howdah/lock'
import { addToCrc32c, emptyCrc32c, finishCrc32c } from './crc32c.ts'
import { integers } from './native-integers.ts'
import { pageMagics } from './page-magics.ts'
import { type Lsn, printLsn } from './wal-position.ts'

/** A record of the WAL. */
export interface WalRecord {
  /** The position at which it begins. */
  readonly lsn: Lsn
  /** The part of the server that the record is for: an `RmgrId`. */
  readonly resourceManager: number
  /** The kind of the record within that part. */
  readonly info: number
  /** The data after its header, up to 128 bytes. The next record overwrites it. */
  readonly body: Buffer
}

/** A segment's file to read. */
export interface SegmentToRead {
  readonly path: string
  /** Where it begins. */
  readonly start: Lsn
  /** The timeline on which the page that begins at a position was written. */
  readonly timelineAt: (lsn: Lsn) => number
}

/** The facts that all WAL of a cluster shares. */
export interface WalFacts {
  /** The server's major version. */
  readonly major: number
  readonly systemIdentifier: bigint
  /** In bytes. */
  readonly segmentSize: number
}

/**
 * The sizes, in bytes, of the headers of a page, of a segment's first page, and of a record. Source: `xlog_internal.h`,
 * `xlogrecord.h`.
 */
const headerSize = { page: 24, segment: 40, record: 24 }
/** The flags of a page: it continues a record; it is the first page of a segment; an earlier record was abandoned. */
const flags = { goesOn: 0x0001, long: 0x0002, givenUp: 0x0008 }
/** How much of a record's body is kept, in bytes. */
const kept = 128
/** How much of the file is read at once, in bytes. It is a multiple of every page size. */
const chunk = 1024 * 1024
const zeros = Buffer.alloc(64 * 1024)

/** A partly read record. */
interface Begun {
  readonly lsn: Lsn
  /** The size of the body after the header, in bytes. */
  readonly bodySize: number
  /** How much of the record, with its header, was read, in bytes. */
  length: number
  checksum: number
}

/** The state of the reader at the start of a page. */
type State =
  /** Nothing is known, as at the beginning or after a fault. */
  | { readonly kind: 'lost' }
  /** Between two records. */
  | { readonly kind: 'between' }
  /** Within a record with an unread beginning; so many bytes remain. */
  | { readonly kind: 'skipping'; remaining: number }
  | { readonly kind: 'within'; readonly record: Begun }
  /** After the record that says that the rest of the segment is empty. */
  | { readonly kind: 'empty' }

/** Thrown inside this file, and returned as a value to callers. */
class Fault extends Error {}

/**
 * Reads WAL segment by segment, as a recovering server does, and finds all damage: each record has a checksum and the
 * position of the record before it, each page has its position and timeline, and everything else is zero.
 *
 * If the first segment begins within a record, that record is skipped. Source: `xlogreader.c`, and for the zeros
 * `AdvanceXLInsertBuffer` and `CopyXLogRecordToWAL` in `xlog.c`; the same from PostgreSQL 10 to 18.
 */
export class WalReader {
  readonly #facts: WalFacts
  readonly #onRecord: (record: WalRecord) => void
  #state: State = { kind: 'lost' }
  /** The position of the record before; `null` if it is unknown. */
  #before: Lsn | null = null
  /** The first bytes of the record that is being read. */
  readonly #head = Buffer.alloc(headerSize.record + kept)

  constructor(facts: WalFacts, onRecord: (record: WalRecord) => void = () => undefined) {
    this.#facts = facts
    this.#onRecord = onRecord
  }

  /**
   * Reads the next segment. Gives `null` if it is intact, or a description of the damage; after damage, the next segment is
   * read like a first one.
   */
  async read(segment: SegmentToRead, signal?: AbortSignal): Promise<string | null> {
    try {
      await this.#readWhole(segment, signal)
      return null
    } catch (error) {
      this.#state = { kind: 'lost' }
      this.#before = null
      if (error instanceof Fault) return error.message
      const { code, message } = error as NodeJS.ErrnoException
      if (code === undefined || signal?.aborted) throw error
      return `cannot be read: ${message}`
    }
  }

  async #readWhole(segment: SegmentToRead, signal: AbortSignal | undefined): Promise<void> {
    const { segmentSize } = this.#facts
    await using file = await openPlainFile(segment.path)
    const { size } = await file.stat()
    if (size !== segmentSize) throw new Fault(`has ${size} bytes and not ${segmentSize}`)
    const buffer = Buffer.allocUnsafe(Math.min(chunk, segmentSize))
    if (this.#state.kind === 'empty') this.#state = { kind: 'between' }
    let pageSize = 0
    for (let offset = 0; offset < segmentSize; offset += buffer.length) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      if (bytesRead !== buffer.length) throw new Fault('ended while it was read')
      if (offset === 0) pageSize = this.#checkSegment(buffer, segment)
      for (let at = 0; at < buffer.length; at += pageSize) {
        this.#readPage(buffer.subarray(at, at + pageSize), offset + at, segment)
      }
    }
  }

  /** Checks the fields that only the first page of a segment has. Gives the page size. */
  #checkSegment(page: Buffer, { start }: SegmentToRead): number {
    const { systemIdentifier, segmentSize } = this.#facts
    if ((integers.readShort(page, 2) & flags.long) === 0) throw new Fault('begins with no WAL')
    const identifier = integers.read(page, 24)
    if (identifier !== systemIdentifier) {
      throw new Fault(`is of another cluster, whose system identifier is ${identifier}`)
    }
    if (integers.read(page, 8) !== start) {
      throw new Fault(`is another part of the WAL, from ${printLsn(integers.read(page, 8))} on`)
    }
    const pageSize = integers.readHalf(page, 36)
    const isPossible = pageSize >= 1024 && pageSize <= zeros.length && segmentSize % pageSize === 0
    if (integers.readHalf(page, 32) !== segmentSize || !isPossible) {
      throw new Fault('has a damaged header')
    }
    return pageSize
  }

  #readPage(page: Buffer, offset: number, segment: SegmentToRead): void {
    const state = this.#state
    // From 11 on, the pages after the last record of a partly filled segment have not even a header.
    if (state.kind === 'empty' && isZero(page, 0, page.length)) return
    const address = segment.start + BigInt(offset)
    const position = (at: number) => segment.start + BigInt(offset + at)
    const info = integers.readShort(page, 2)
    const size = offset === 0 ? headerSize.segment : headerSize.page
    const toCome = integers.readHalf(page, 16)
    const magic = pageMagics.get(this.#facts.major)
    if (
      (magic !== undefined && integers.readShort(page, 0) !== magic) ||
      integers.read(page, 8) !== address ||
      info > 0x000f ||
      (info & flags.long) !== (offset === 0 ? flags.long : 0) ||
      ((info & flags.goesOn) === 0) !== (toCome === 0) ||
      !isZero(page, 20, 24)
    ) {
      throw new Fault(`has a damaged page at ${printLsn(address)}`)
    }
    const timeline = integers.readHalf(page, 4)
    const expected = segment.timelineAt(address)
    if (timeline !== expected) {
      throw new Fault(
        `has a page of timeline ${timeline}, not ${expected}, at ${printLsn(address)}`,
      )
    }
    if (state.kind === 'empty') return this.#expectZero(page, size, position)
    let at = size + this.#goOn(page, size, info, toCome, position)
    while (at < page.length && this.#isBetween()) {
      const next = Math.min(page.length, (at + 7) & ~7)
      this.#expectZero(page, at, position, next)
      at = next
      if (at === page.length) return
      at += this.#begin(page, at, position)
    }
    if (this.#state.kind === ('empty' as State['kind'])) this.#expectZero(page, at, position)
  }

  #isBetween(): boolean {
    return this.#state.kind === 'between'
  }

  /** Continues a record from the page before. Gives the number of bytes of this page that belong to the record. */
  #goOn(
    page: Buffer,
    from: number,
    info: number,
    toCome: number,
    position: (at: number) => Lsn,
  ): number {
    const state = this.#state
    const goesOn = (info & flags.goesOn) !== 0
    const brokenOff = () => new Fault(`lacks the rest of a record at ${printLsn(position(0))}`)
    if ((info & flags.givenUp) !== 0) {
      // The server crashed before it wrote the rest of the record, and the next record says so.
      this.#state = { kind: 'between' }
      return 0
    }
    if (state.kind === 'within') {
      const { record } = state
      const left = headerSize.record + record.bodySize - record.length
      if (!goesOn || toCome !== left) throw brokenOff()
      return this.#take(record, page, from)
    }
    if (state.kind === 'skipping' && (!goesOn || toCome !== state.remaining)) throw brokenOff()
    if (state.kind === 'skipping' || state.kind === 'lost') {
      const here = Math.min(toCome, page.length - from)
      this.#state =
        toCome > here ? { kind: 'skipping', remaining: toCome - here } : { kind: 'between' }
      return here
    }
    if (goesOn) throw brokenOff()
    return 0
  }

  /** Begins a record. Gives the number of bytes of this page that belong to the record. */
  #begin(page: Buffer, at: number, position: (at: number) => Lsn): number {
    const length = integers.readHalf(page, at)
    if (length < headerSize.record) throw new Fault(`has no record at ${printLsn(position(at))}`)
    const record: Begun = {
      lsn: position(at),
      bodySize: length - headerSize.record,
      length: 0,
      checksum: emptyCrc32c,
    }
    this.#state = { kind: 'within', record }
    return this.#take(record, page, at)
  }

  /** Reads the part of a record that is on this page. */
  #take(record: Begun, page: Buffer, from: number): number {
    const total = headerSize.record + record.bodySize
    const end = Math.min(page.length, from + total - record.length)
    if (record.length < this.#head.length) page.copy(this.#head, record.length, from, end)
    const bodyAt = from + Math.max(0, headerSize.record - record.length)
    if (bodyAt < end) record.checksum = addToCrc32c(record.checksum, page, bodyAt, end)
    record.length += end - from
    if (record.length === total) this.#complete(record)
    return end - from
  }

  #complete({ lsn, bodySize, checksum }: Begun): void {
    const header = this.#head
    // The checksum covers the body first, and then the header up to the checksum itself.
    const computed = finishCrc32c(addToCrc32c(checksum, header, 0, 20))
    if (computed !== integers.readHalf(header, 20)) {
      throw new Fault(`has a damaged record at ${printLsn(lsn)}`)
    }
    if (this.#before !== null && integers.read(header, 8) !== this.#before) {
      const [named, found] = [printLsn(integers.read(header, 8)), printLsn(this.#before)]
      throw new Fault(`has a record at ${printLsn(lsn)} that follows one at ${named}, not ${found}`)
    }
    this.#before = lsn
    const [info, resourceManager] = [header[16]! & 0xf0, header[17]!]
    this.#state = { kind: isSwitch(resourceManager, info) ? 'empty' : 'between' }
    const body = header.subarray(headerSize.record, headerSize.record + bodySize)
    this.#onRecord({ lsn, resourceManager, info, body })
  }

  #expectZero(
    page: Buffer,
    from: number,
    position: (at: number) => Lsn,
    to: number = page.length,
  ): void {
    if (!isZero(page, from, to)) {
      throw new Fault(`has something where nothing was written, after ${printLsn(position(from))}`)
    }
  }
}

/** Whether this record says that the rest of the segment is empty. Source: `XLOG_SWITCH` in `pg_control.h`. */
function isSwitch(resourceManager: number, info: number): boolean {
  return resourceManager === 0 && info === 0x40
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  return from >= to || zeros.compare(bytes, from, to, 0, to - from) === 0
}
