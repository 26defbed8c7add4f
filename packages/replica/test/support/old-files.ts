import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const { compressFrameSync } = require('lz4-napi') as {
  compressFrameSync(this: void, data: Buffer, options: { contentChecksum: boolean }): Buffer
}

export const generation = '0123456789abcdef'

/** Data as litestream 0.3 stores it. */
export function compressed(data: Buffer): Buffer {
  return compressFrameSync(data, { contentChecksum: true })
}

/** Puts a file of litestream 0.3 where it belongs in a replica, with its time in ms since 1970, and returns its path. */
export function writeOldFile(
  root: string,
  name: string,
  data: Buffer,
  time = Date.now(),
  inGeneration = generation,
): string {
  const path = join(root, 'generations', inGeneration, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, compressed(data))
  utimesSync(path, time / 1000, time / 1000)
  return path
}

export const snapshotName = (index: number): string => `snapshots/${hex(index)}.snapshot.lz4`
export const segmentName = (index: number, offset: number): string =>
  `wal/${hex(index)}_${hex(offset)}.wal.lz4`

/** A database file of empty pages, whose header says its page size. */
export function emptyDatabase(pages: number, pageSize = 512): Buffer {
  const database = Buffer.alloc(pages * pageSize)
  if (pages > 0) database.writeUInt16BE(pageSize === 65_536 ? 1 : pageSize, 16)
  return database
}

/** A page that a WAL holds, and the database's size in pages after it if it ends a transaction. */
export interface Frame {
  readonly page: number
  readonly data: Buffer
  readonly commit: number
}

/** A WAL of frames, as SQLite writes it on a machine of this byte order, and where each frame ends. */
export function walOf(
  frames: readonly Frame[],
  pageSize = 512,
  order: 'LE' | 'BE' = 'LE',
): { bytes: Buffer; ends: number[] } {
  const header = Buffer.alloc(32)
  header.writeUInt32BE(order === 'BE' ? 0x377f_0683 : 0x377f_0682, 0)
  header.writeUInt32BE(3_007_000, 4)
  header.writeUInt32BE(pageSize, 8)
  header.writeUInt32BE(0x1234_5678, 16)
  header.writeUInt32BE(0x9abc_def0, 20)
  let sum = checksum([0, 0], header.subarray(0, 24), order)
  store(sum, header, 24)
  const parts = [header]
  const ends: number[] = []
  let end = header.length
  for (const { page, data, commit } of frames) {
    const frame = Buffer.alloc(24 + pageSize)
    frame.writeUInt32BE(page, 0)
    frame.writeUInt32BE(commit, 4)
    header.copy(frame, 8, 16, 24)
    data.copy(frame, 24)
    sum = checksum(checksum(sum, frame.subarray(0, 8), order), frame.subarray(24), order)
    store(sum, frame, 16)
    parts.push(frame)
    ends.push((end += frame.length))
  }
  return { bytes: Buffer.concat(parts), ends }
}

function checksum(
  [one, other]: readonly [number, number],
  data: Buffer,
  order: 'LE' | 'BE',
): [number, number] {
  let [first, second] = [one, other]
  const word = (at: number): number =>
    order === 'BE' ? data.readUInt32BE(at) : data.readUInt32LE(at)
  for (let at = 0; at < data.length; at += 8) {
    first = (first + word(at) + second) >>> 0
    second = (second + word(at + 4) + first) >>> 0
  }
  return [first, second]
}

function store([one, other]: readonly [number, number], bytes: Buffer, at: number): void {
  bytes.writeUInt32BE(one, at)
  bytes.writeUInt32BE(other, at + 4)
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
