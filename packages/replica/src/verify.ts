import { LtxDecoder, type LtxSummary } from '@howdah/ltx'
import { inFile } from './damage.ts'
import { ReplicaError } from './errors.ts'
import { openSnapshot, openWalSegment } from './generation-open.ts'
import { type ReplicaEntry, listEntries } from './entries.ts'
import type { Layout } from './layout.ts'
import { checkHeader } from './ltx-restore.ts'
import { openRange } from './open-range.ts'

/** What was found about a file of a replica. */
export type Verdict = ReplicaEntry & {
  /** What is wrong with it; `null` where it is sound. */
  readonly problem: ReplicaError | null
}

/** Reads every file of a replica to its end, and says of each whether it is sound. */
export async function* verify(
  layout: Layout,
  signal?: AbortSignal,
): AsyncGenerator<Verdict, void, void> {
  for await (const entry of listEntries(layout)) {
    signal?.throwIfAborted()
    yield { ...entry, problem: await problemOf(layout, entry) }
  }
}

async function problemOf(layout: Layout, entry: ReplicaEntry): Promise<ReplicaError | null> {
  try {
    await read(layout, entry)
    return null
  } catch (error) {
    if (error instanceof ReplicaError) return error
    throw error
  }
}

async function read(layout: Layout, entry: ReplicaEntry): Promise<void> {
  switch (entry.kind) {
    case 'ltx': {
      const { header } = await readLtx(entry.path)
      checkHeader(header, entry, null, entry.path)
      return
    }
    case 'snapshot':
      return await drain(await openSnapshot(layout, entry.generation, entry.index))
    case 'wal':
      return await drain(await openWalSegment(layout, entry.generation, entry.index, entry.offset))
  }
}

async function readLtx(path: string): Promise<LtxSummary> {
  const stream = await openRange(path, 0, 0)
  try {
    await using decoder = await LtxDecoder.open(stream as AsyncIterable<Uint8Array>)
    return await decoder.finish()
  } catch (error) {
    throw inFile(error, path)
  } finally {
    stream.destroy()
  }
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  // Only that it ends without an error counts.
  for await (const chunk of stream) void chunk
}
