import { ReplicaError } from './errors.ts'
import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation-files.ts'
import type { Layout } from './layout.ts'

/** The snapshot and the WAL segments that make up a state, the segments by index, in order. */
export interface GenerationPlan {
  readonly snapshot: SnapshotInfo
  readonly wals: readonly (readonly WalSegmentInfo[])[]
  /** The sizes of the files together, in bytes. */
  readonly bytes: number
}

interface Target {
  readonly generation?: string | undefined
  readonly index?: number | undefined
  readonly time?: number | undefined
}

interface Candidates {
  readonly snapshots: SnapshotInfo[]
  readonly segments: WalSegmentInfo[]
  /** When the newest of them was written, in ms since 1970. */
  readonly newest: number
}

/**
 * Chooses what to restore a state from, of a replica of litestream 0.3: the last snapshot and all of the WAL since.
 *
 * Times are the files' mtimes, as litestream 0.3 has them. Throws a {@link ReplicaError}: `ERR_REPLICA_EMPTY` where there
 * is no snapshot, `ERR_REPLICA_GAP` where a piece of the WAL is missing, `ERR_REPLICA_NOT_REACHED` where the wanted index
 * is not there.
 */
export async function planGeneration(layout: Layout, target: Target): Promise<GenerationPlan> {
  const generations =
    target.generation === undefined ? await listGenerations(layout) : [target.generation]
  const all = await Promise.all(generations.map((name) => candidates(layout, name, target)))
  const [best] = all
    .filter(({ snapshots }) => snapshots.length > 0)
    .toSorted((one, other) => other.newest - one.newest)
  const snapshot = best?.snapshots.at(-1)
  if (best === undefined || snapshot === undefined) {
    const when = target.time === undefined ? '' : ' at that time'
    throw new ReplicaError(
      'ERR_REPLICA_EMPTY',
      `${layout.generations} has no snapshot to start from${when}`,
      { path: layout.generations },
    )
  }
  const segments = best.segments.filter((segment) => segment.index >= snapshot.index)
  const wals = groupByIndex(segments)
  for (const [place, wal] of wals.entries()) {
    const expected = snapshot.index + place
    if (wal[0]?.index !== expected) throw missing(layout, snapshot.generation, expected)
  }
  const reached = snapshot.index + Math.max(wals.length - 1, 0)
  if (target.index !== undefined && reached !== target.index) {
    throw new ReplicaError(
      'ERR_REPLICA_NOT_REACHED',
      `generation ${snapshot.generation} ends with the WAL of index ${reached}, before ${target.index}`,
      { path: layout.generation(snapshot.generation) },
    )
  }
  const bytes = segments.reduce((sum, segment) => sum + segment.size, snapshot.size)
  return { snapshot, wals, bytes }
}

/** What a generation has up to the index and the time. */
async function candidates(
  layout: Layout,
  generation: string,
  { index = Infinity, time = Infinity }: Target,
): Promise<Candidates> {
  const snapshots: SnapshotInfo[] = []
  const segments: WalSegmentInfo[] = []
  for await (const one of listSnapshots(layout, generation)) {
    if (one.index <= index && one.createdAt.getTime() <= time) snapshots.push(one)
  }
  for await (const one of listWalSegments(layout, generation)) {
    // Later segments build on earlier ones: the first one that is too late ends it.
    if (one.index > index || one.createdAt.getTime() > time) break
    segments.push(one)
  }
  const times = [...snapshots, ...segments].map((one) => one.createdAt.getTime())
  const newest = times.reduce((one, other) => Math.max(one, other), -Infinity)
  return { snapshots, segments, newest }
}

function groupByIndex(segments: readonly WalSegmentInfo[]): WalSegmentInfo[][] {
  const groups = new Map<number, WalSegmentInfo[]>()
  for (const segment of segments) {
    const group = groups.get(segment.index)
    if (group === undefined) groups.set(segment.index, [segment])
    else group.push(segment)
  }
  return [...groups.values()]
}

function missing(layout: Layout, generation: string, index: number): ReplicaError {
  const path = layout.wal(generation)
  return new ReplicaError('ERR_REPLICA_GAP', `the WAL of index ${index} is missing in ${path}`, {
    path,
  })
}
