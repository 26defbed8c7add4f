import { generationDirectory, generationsDirectory, isGeneration } from '../layout.ts'
import type { Storage } from '../storage.ts'

/** A snapshot of litestream 0.3: a whole database, as it was at the beginning of the WAL of this index, or later. */
export interface SnapshotInfo {
  readonly generation: string
  readonly index: number
  /** The compressed size in bytes. */
  readonly size: number
  readonly createdAt: Date
}

/** A piece of a WAL of litestream 0.3. */
export interface WalSegmentInfo extends SnapshotInfo {
  /** The offset of the piece in the WAL of this index, in bytes. */
  readonly offset: number
}

/** An info with the path of its file. */
export type Placed<Info> = Info & { readonly path: string }

/** The generations of a replica, sorted by name. */
export async function listGenerations(storage: Storage): Promise<string[]> {
  const items = await storage.list(generationsDirectory(storage))
  return items.map(({ name }) => name).filter(isGeneration)
}

/** The snapshots of a generation, sorted by index. */
export async function* listSnapshots(
  storage: Storage,
  generation: string,
): AsyncGenerator<Placed<SnapshotInfo>, void, void> {
  const directory = generationDirectory(storage, generation, 'snapshots')
  for (const { name, facts } of await storage.list(directory)) {
    const index = /^([0-9a-f]{8})\.snapshot\.lz4$/.exec(name)?.[1]
    if (index === undefined) continue
    const path = `${directory}/${name}`
    const found = facts ?? (await storage.look(path))
    if (found === null) continue
    const { size, modified } = found
    yield { generation, index: Number.parseInt(index, 16), size, createdAt: modified, path }
  }
}

/** The WAL segments of a generation, sorted by index, then offset. */
export async function* listWalSegments(
  storage: Storage,
  generation: string,
): AsyncGenerator<Placed<WalSegmentInfo>, void, void> {
  const directory = generationDirectory(storage, generation, 'wal')
  const parsed = (await storage.list(directory)).flatMap(({ name, facts }) => {
    const match = /^([0-9a-f]{8})_([0-9a-f]{8,16})\.wal\.lz4$/.exec(name)
    if (match === null) return []
    const [index, offset] = [Number(`0x${match[1]}`), Number(`0x${match[2]}`)]
    return Number.isSafeInteger(offset)
      ? [{ path: `${directory}/${name}`, facts, index, offset }]
      : []
  })
  parsed.sort((one, other) => one.index - other.index || one.offset - other.offset)
  for (const { path, facts, index, offset } of parsed) {
    const found = facts ?? (await storage.look(path))
    if (found === null) continue
    yield { generation, index, offset, size: found.size, createdAt: found.modified, path }
  }
}

/** The path of a snapshot. */
export function snapshotPath(storage: Storage, generation: string, index: number): string {
  return generationDirectory(storage, generation, 'snapshots', `${hex(index)}.snapshot.lz4`)
}

/** The possible paths of a WAL segment. Litestream writes offsets with 8 digits, and its readers accept up to 16. */
export function walSegmentPaths(
  storage: Storage,
  generation: string,
  index: number,
  offset: number,
): string[] {
  const directory = generationDirectory(storage, generation, 'wal')
  const digits = offset.toString(16)
  const widths = Array.from({ length: 9 }, (_, more) => digits.padStart(8 + more, '0'))
  return [...new Set(widths)].map((text) => `${directory}/${hex(index)}_${text}.wal.lz4`)
}

function hex(index: number): string {
  return index.toString(16).padStart(8, '0')
}
