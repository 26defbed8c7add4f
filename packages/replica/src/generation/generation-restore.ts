import type { DatabaseWriter } from '../restore/database-writer.ts'
import type { Progress } from '../restore/progress.ts'
import type { Restored } from '../restore/restored.ts'
import type { Storage } from '../storage.ts'
import {
  readSnapshot,
  readWal,
  walsOf,
  type Database,
  type WalVisitor,
} from './generation-replay.ts'
import type { GenerationPlan, WalSegment } from './generations.ts'

/** Writes a snapshot and the WAL after it into a database, up to the last complete transaction. */
export async function restoreGeneration(
  storage: Storage,
  { snapshot, segments, bytes }: GenerationPlan,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  // Each WAL is read twice: to find its last complete transaction, and to apply it.
  progress.total(1 + 2 * segments.length, 2 * bytes - snapshot.size)
  progress.begin(snapshot.path)
  const observe = (count: number): void => progress.read(count)
  let database = await readSnapshot(storage, snapshot, observe, async (data, offset) => {
    await writer.write(data, offset)
  })
  await writer.truncate(database.pages * database.pageSize)
  progress.end()
  let { index, offset } = { index: snapshot.index, offset: 0 }
  for (const wal of walsOf(segments)) {
    const applied = await applyWal(storage, wal, database, writer, progress)
    database = applied.database
    if (applied.offset > 0) ({ index, offset } = { index: wal[0]?.index ?? index, ...applied })
  }
  return {
    from: { format: 'generation', generation: snapshot.generation, index, offset },
    timestamp: (segments.at(-1) ?? snapshot).createdAt,
    pageSize: database.pageSize,
    pages: database.pages,
    files: 1 + segments.length,
  }
}

async function applyWal(
  storage: Storage,
  segments: readonly WalSegment[],
  before: Database,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<{ database: Database; offset: number }> {
  const visitor: WalVisitor = {
    begin: ({ path }) => progress.begin(path),
    observe: (bytes) => progress.read(bytes),
    end: () => progress.end(),
  }
  const { database, offset } = await readWal(storage, segments, before, visitor)
  await readWal(storage, segments, before, {
    ...visitor,
    frame: async ({ page, data, end }) => {
      if (end > offset) return
      await writer.write(data, (page - 1) * data.length)
      progress.step()
    },
  })
  if (offset > 0) await writer.truncate(database.pages * database.pageSize)
  return { database, offset }
}
