import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifThere } from './errors.ts'
import { isGeneration, type Layout } from './layout.ts'

/** A snapshot of litestream 0.3: a whole database, as it was when the WAL of this index began or later. */
export interface SnapshotInfo {
  readonly generation: string
  readonly index: number
  /** The compressed size in bytes. */
  readonly size: number
  readonly createdAt: Date
}

/** A piece of a WAL of litestream 0.3. */
export interface WalSegmentInfo extends SnapshotInfo {
  /** Where in the WAL of this index the piece lies, in bytes. */
  readonly offset: number
}

/** The generations of a replica, sorted by name. */
export async function listGenerations(layout: Layout): Promise<string[]> {
  const names = await ifThere('list', layout.generations, () => readdir(layout.generations))
  return (names ?? []).filter(isGeneration).toSorted()
}

/** The snapshots of a generation, sorted by index. */
export async function* listSnapshots(
  layout: Layout,
  generation: string,
): AsyncGenerator<SnapshotInfo, void, void> {
  const directory = layout.snapshots(generation)
  const names = (await ifThere('list', directory, () => readdir(directory))) ?? []
  for (const name of names.toSorted()) {
    const index = /^([0-9a-f]{8})\.snapshot\.lz4$/.exec(name)?.[1]
    const found = index === undefined ? null : await fileStat(join(directory, name))
    if (found !== null) yield { generation, index: Number.parseInt(`${index}`, 16), ...found }
  }
}

/** The WAL segments of a generation, sorted by index, then offset. */
export async function* listWalSegments(
  layout: Layout,
  generation: string,
): AsyncGenerator<WalSegmentInfo, void, void> {
  const directory = layout.wal(generation)
  const names = (await ifThere('list', directory, () => readdir(directory))) ?? []
  const parsed = names.flatMap((name) => {
    const match = /^([0-9a-f]{8})_([0-9a-f]{8,16})\.wal\.lz4$/.exec(name)
    if (match === null) return []
    const [index, offset] = [Number(`0x${match[1]}`), Number(`0x${match[2]}`)]
    return Number.isSafeInteger(offset) ? [{ name, index, offset }] : []
  })
  parsed.sort((one, other) => one.index - other.index || one.offset - other.offset)
  for (const { name, index, offset } of parsed) {
    const found = await fileStat(join(directory, name))
    if (found !== null) yield { generation, index, offset, ...found }
  }
}

/** The path of a snapshot. */
export function snapshotPath(layout: Layout, generation: string, index: number): string {
  return join(layout.snapshots(generation), `${hex(index)}.snapshot.lz4`)
}

/** The paths that a WAL segment may have: litestream writes offsets with 8 digits, readers take up to 16. */
export function walSegmentPaths(
  layout: Layout,
  generation: string,
  index: number,
  offset: number,
): string[] {
  const directory = layout.wal(generation)
  const digits = offset.toString(16)
  const widths = Array.from({ length: 9 }, (_, more) => digits.padStart(8 + more, '0'))
  return [...new Set(widths)].map((text) => join(directory, `${hex(index)}_${text}.wal.lz4`))
}

function hex(index: number): string {
  return index.toString(16).padStart(8, '0')
}

async function fileStat(path: string): Promise<{ size: number; createdAt: Date } | null> {
  const found = await ifThere('look at', path, () => stat(path))
  return found?.isFile() ? { size: found.size, createdAt: found.mtime } : null
}
