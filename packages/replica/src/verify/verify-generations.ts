import type { ReplicaError } from '../errors.ts'
import { openDecompressed } from '../generation/generation-open.ts'
import { readSnapshot, readWal, walsOf } from '../generation/generation-replay.ts'
import {
  firstHole,
  newestOf,
  segmentsSince,
  withoutSnapshot,
  type Generation,
  type Snapshot,
  type WalSegment,
} from '../generation/generations.ts'
import type { Storage } from '../storage.ts'
import type { Findings } from './findings.ts'

/** Verifies litestream 0.3's files: each file by itself, and each snapshot with all of the WAL that restores apply to it. */
export async function verifyGenerations(
  storage: Storage,
  generations: readonly Generation[],
  findings: Findings,
): Promise<void> {
  for (const generation of generations) {
    const read = new Set<string>()
    if (generation.snapshots.length === 0) {
      findings.note(withoutSnapshot(generation, newestOf(generation, Infinity, Infinity) ?? 0))
    }
    for (const [place, snapshot] of generation.snapshots.entries()) {
      const segments = longestSince(generation, place)
      const hole = firstHole(snapshot, segments)
      if (hole !== null) findings.note(hole)
      await replay(storage, snapshot, beforeHole(segments, hole), findings, read)
    }
    for (const { path } of generation.segments) {
      if (!read.has(path)) await findings.examine(path, () => drain(storage, path))
    }
  }
}

async function replay(
  storage: Storage,
  snapshot: Snapshot,
  segments: readonly WalSegment[],
  findings: Findings,
  read: Set<string>,
): Promise<void> {
  const nothing = async (): Promise<void> => {}
  let database = await findings.examine(snapshot.path, async () => {
    return await readSnapshot(storage, snapshot, () => {}, nothing)
  })
  for (const wal of walsOf(segments)) {
    const before = database
    if (before === null) return
    database = await findings.examine(wal[0]?.path ?? snapshot.path, async () => {
      const end = await readWal(storage, wal, before, { begin: ({ path }) => void read.add(path) })
      return end.database
    })
  }
}

/**
 * The longest WAL that a restore applies to a snapshot: a restore up to a later index or time starts from a later snapshot.
 */
function longestSince(generation: Generation, place: number): WalSegment[] {
  const snapshot = generation.snapshots[place]
  if (snapshot === undefined) return []
  const later = generation.snapshots.slice(place + 1)
  const nextIndex = later[0]?.index ?? Infinity
  const nextTime = Math.min(...later.map(({ createdAt }) => createdAt.getTime()))
  const byIndex = segmentsSince(generation, snapshot, ({ index }) => index < nextIndex)
  if (snapshot.createdAt.getTime() >= nextTime) return byIndex
  const byTime = segmentsSince(generation, snapshot, ({ createdAt }) => {
    return createdAt.getTime() < nextTime
  })
  return byTime.length > byIndex.length ? byTime : byIndex
}

function beforeHole(segments: readonly WalSegment[], hole: ReplicaError | null): WalSegment[] {
  const end = segments.findIndex(({ path }) => path === hole?.path)
  return end === -1 ? [...segments] : segments.slice(0, end)
}

async function drain(storage: Storage, path: string): Promise<void> {
  // Only reads the file to see that no error is thrown.
  for await (const chunk of await openDecompressed(storage, path)) void chunk
}
