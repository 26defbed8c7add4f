import { ReplicaError } from '../errors.ts'
import type { Storage } from '../storage.ts'
import { openDecompressed, type Observer } from './generation-open.ts'
import type { Snapshot, WalSegment } from './generations.ts'
import { WalReader, type WalFrame } from './wal-reader.ts'

/** The database after some files of litestream 0.3. */
export interface Database {
  /** 0 if the database is empty. */
  readonly pageSize: number
  readonly pages: number
}

/** Receives the frames and the progress while a WAL is read. */
export interface WalVisitor {
  /** A segment is about to be read. */
  begin?(segment: WalSegment): void
  observe?: Observer
  end?(): void
  frame?(frame: WalFrame): Promise<void>
}

/**
 * Reads a snapshot to its end and describes its database. Throws a {@link ReplicaError} with the path if it is not a
 * database.
 */
export async function readSnapshot(
  storage: Storage,
  { path }: Snapshot,
  observe: Observer,
  write: (data: Buffer, offset: number) => Promise<void>,
): Promise<Database> {
  const data = await openDecompressed(storage, path, observe)
  let size = 0
  let head = Buffer.alloc(0)
  for await (const chunk of data as AsyncIterable<Buffer>) {
    if (head.length < 18) head = Buffer.concat([head, chunk.subarray(0, 18)])
    await write(chunk, size)
    size += chunk.length
  }
  // sqlite.org/fileformat2.html, "The Database Header": the page size is at byte 16, and 1 stands for 65,536.
  const stored = size === 0 ? 0 : head.length < 18 ? -1 : head.readUInt16BE(16)
  const pageSize = stored === 1 ? 65_536 : stored
  if (size > 0 && (pageSize < 512 || size % pageSize !== 0)) {
    throw new ReplicaError('ERR_REPLICA_DAMAGED', `${path} is not a SQLite database`, { path })
  }
  return { pageSize, pages: size === 0 ? 0 : size / pageSize }
}

/** The database after the last complete transaction of a WAL, and the end of that transaction, in bytes. */
export interface WalEnd {
  readonly database: Database
  readonly offset: number
}

/**
 * Reads the segments of one WAL, and describes the database after them.
 *
 * Throws a {@link ReplicaError} with the path of a segment if the segment before it is missing, if it is damaged, if it ends
 * within a page, or if its page size is not the database's.
 */
export async function readWal(
  storage: Storage,
  segments: readonly WalSegment[],
  before: Database,
  visitor: WalVisitor = {},
): Promise<WalEnd> {
  const wal = new WalReader()
  let { pageSize, pages } = before
  let offset = 0
  for (const segment of segments) {
    const { path, index } = segment
    if (segment.offset !== wal.size) {
      throw new ReplicaError(
        'ERR_REPLICA_GAP',
        `the WAL of index ${index} has a gap between byte ${wal.size} and ${path}`,
        { path },
      )
    }
    visitor.begin?.(segment)
    const data = await openDecompressed(storage, path, visitor.observe)
    for await (const chunk of data as AsyncIterable<Buffer>) {
      for (const frame of wal.push(chunk, path)) {
        pageSize ||= frame.data.length
        if (frame.data.length !== pageSize) throw otherPages(path, frame.data.length, pageSize)
        if (frame.commit > 0) ({ end: offset, commit: pages } = frame)
        await visitor.frame?.(frame)
      }
    }
    wal.endSegment(path)
    visitor.end?.()
  }
  return { database: { pageSize: offset > 0 ? pageSize : before.pageSize, pages }, offset }
}

/** The segments of a plan, grouped by the index of their WAL. */
export function walsOf(segments: readonly WalSegment[]): WalSegment[][] {
  const wals: WalSegment[][] = []
  for (const segment of segments) {
    const last = wals.at(-1)
    if (last?.[0]?.index === segment.index) last.push(segment)
    else wals.push([segment])
  }
  return wals
}

function otherPages(path: string, found: number, expected: number): ReplicaError {
  return new ReplicaError(
    'ERR_REPLICA_MISMATCH',
    `${path} has pages of ${found} bytes, and the database before it has pages of ${expected}`,
    { path },
  )
}
