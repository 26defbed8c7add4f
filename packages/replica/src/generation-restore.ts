import type { DatabaseWriter } from './database-writer.ts'
import { ReplicaError } from './errors.ts'
import { snapshotPath, walSegmentPaths, type WalSegmentInfo } from './generation-files.ts'
import { openSnapshot, openWalSegment } from './generation-open.ts'
import type { GenerationPlan } from './generation-plan.ts'
import type { Layout } from './layout.ts'
import type { Progress } from './progress.ts'
import type { Restored } from './restored.ts'
import { walFrames } from './wal-frames.ts'

/** Writes a snapshot and the WAL since into a database, up to the last transaction that is complete. */
export async function restoreGeneration(
  layout: Layout,
  plan: GenerationPlan,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  const { snapshot } = plan
  const segments = plan.wals.flat()
  // Each WAL is read twice: to find its last complete transaction, and to apply it.
  progress.total(1 + 2 * segments.length, 2 * plan.bytes - snapshot.size)
  const database = await writeSnapshot(layout, plan, writer, progress)
  let { index, offset } = { index: snapshot.index, offset: 0 }
  for (const wal of plan.wals) {
    const applied = await applyWal(layout, wal, database, writer, progress)
    if (applied > 0) ({ index, offset } = { index: Number(wal[0]?.index), offset: applied })
  }
  return {
    from: { format: 'generation', generation: snapshot.generation, index, offset },
    timestamp: (segments.at(-1) ?? snapshot).createdAt,
    pageSize: database.pageSize,
    pages: database.pages,
    files: 1 + segments.length,
  }
}

interface Database {
  pageSize: number
  pages: number
}

async function writeSnapshot(
  layout: Layout,
  { snapshot }: GenerationPlan,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Database> {
  const path = snapshotPath(layout, snapshot.generation, snapshot.index)
  const observe = (bytes: number): void => progress.read(bytes)
  const data = await openSnapshot(layout, snapshot.generation, snapshot.index, observe)
  progress.begin(path)
  let size = 0
  let head = Buffer.alloc(0)
  for await (const chunk of data as AsyncIterable<Buffer>) {
    if (head.length < 18) head = Buffer.concat([head, chunk.subarray(0, 18)])
    await writer.write(chunk, size)
    size += chunk.length
  }
  await writer.truncate(size)
  progress.end()
  // sqlite.org/fileformat2.html, "The Database Header": the page size is at byte 16, and 1 stands for 65,536.
  const stored = size === 0 ? 0 : head.length < 18 ? -1 : head.readUInt16BE(16)
  const pageSize = stored === 1 ? 65_536 : stored
  if (size > 0 && (pageSize < 512 || size % pageSize !== 0)) {
    throw new ReplicaError('ERR_REPLICA_DAMAGED', `${path} holds no SQLite database`, { path })
  }
  return { pageSize, pages: size === 0 ? 0 : size / pageSize }
}

/** Applies the WAL of one index, and returns where its last complete transaction ends, in bytes. */
async function applyWal(
  layout: Layout,
  segments: readonly WalSegmentInfo[],
  database: Database,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<number> {
  const [first] = segments
  if (first === undefined) return 0
  const { generation, index } = first
  const path = String(walSegmentPaths(layout, generation, index, first.offset)[0])
  let end = 0
  for await (const frame of walFrames(walBytes(layout, segments, progress), path)) {
    if (frame.commit === 0) continue
    end = frame.end
    database.pages = frame.commit
    database.pageSize ||= frame.data.length
  }
  for await (const frame of walFrames(walBytes(layout, segments, progress), path)) {
    if (frame.end > end) continue
    if (frame.data.length !== database.pageSize) {
      throw new ReplicaError(
        'ERR_REPLICA_MISMATCH',
        `${path} has pages of ${frame.data.length} bytes, and the snapshot has ${database.pageSize}`,
        { path },
      )
    }
    await writer.write(frame.data, (frame.page - 1) * frame.data.length)
    progress.step()
  }
  if (end > 0) await writer.truncate(database.pages * database.pageSize)
  return end
}

/** The WAL of one index, put together from its segments. */
async function* walBytes(
  layout: Layout,
  segments: readonly WalSegmentInfo[],
  progress: Progress,
): AsyncGenerator<Buffer, void, void> {
  let at = 0
  for (const { generation, index, offset } of segments) {
    const path = String(walSegmentPaths(layout, generation, index, offset)[0])
    if (offset !== at) {
      throw new ReplicaError(
        'ERR_REPLICA_GAP',
        `the WAL of index ${index} lacks what lies between byte ${at} and ${path}`,
        { path },
      )
    }
    progress.begin(path)
    const observe = (bytes: number): void => progress.read(bytes)
    const data = await openWalSegment(layout, generation, index, offset, observe)
    for await (const chunk of data as AsyncIterable<Buffer>) {
      at += chunk.length
      yield chunk
    }
    progress.end()
  }
}
