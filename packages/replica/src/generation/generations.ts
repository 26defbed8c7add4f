import type { ReplicaEntry } from '../entries.ts'
import { ReplicaError } from '../errors.ts'
import { generationDirectory, generationsDirectory } from '../layout.ts'
import type { Storage } from '../storage.ts'
import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  type Placed,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation-files.ts'

export type Snapshot = Placed<SnapshotInfo>
export type WalSegment = Placed<WalSegmentInfo>

/** All files of a generation of litestream 0.3, in order. */
export interface Generation {
  readonly name: string
  readonly snapshots: readonly Snapshot[]
  readonly segments: readonly WalSegment[]
}

/** The snapshot and the WAL segments of a state, in order. */
export interface GenerationPlan {
  readonly snapshot: Snapshot
  readonly segments: readonly WalSegment[]
  /** The total size of the files, in bytes. */
  readonly bytes: number
}

/** The state to restore from litestream 0.3's files; the latest by default. */
export interface GenerationTarget {
  readonly generation?: string | undefined
  readonly index?: number | undefined
  /** In ms since 1970. */
  readonly time?: number | undefined
}

/** The files of litestream 0.3, from a listing. All times are mtimes of files, since the files contain no times. */
export class Generations {
  readonly all: readonly Generation[]
  readonly #storage: Storage

  static async list(storage: Storage, only?: string): Promise<Generations> {
    const names = only === undefined ? await listGenerations(storage) : [only]
    const all: Generation[] = []
    for (const name of names) {
      const snapshots: Snapshot[] = []
      const segments: WalSegment[] = []
      for await (const one of listSnapshots(storage, name)) snapshots.push(one)
      for await (const one of listWalSegments(storage, name)) segments.push(one)
      if (snapshots.length + segments.length > 0) all.push({ name, snapshots, segments })
    }
    return new Generations(storage, all)
  }

  /** The generations among the entries of a replica. */
  static of(storage: Storage, entries: readonly ReplicaEntry[]): Generations {
    const snapshots = entries.filter((entry) => entry.kind === 'snapshot')
    const segments = entries.filter((entry) => entry.kind === 'wal')
    const names = new Set([...snapshots, ...segments].map(({ generation }) => generation))
    const all = [...names].map((name) => ({
      name,
      snapshots: snapshots.filter(({ generation }) => generation === name),
      segments: segments.filter(({ generation }) => generation === name),
    }))
    return new Generations(storage, all)
  }

  private constructor(storage: Storage, all: readonly Generation[]) {
    this.#storage = storage
    this.all = all
  }

  /**
   * Chooses the files to restore a state from: the last snapshot of the generation that was written last, and the WAL after
   * it.
   *
   * Throws a {@link ReplicaError}: `ERR_REPLICA_EMPTY` if there is no snapshot, `ERR_REPLICA_GAP` if a WAL, or the snapshot
   * before it, is missing, `ERR_REPLICA_NOT_REACHED` if the wanted index does not exist.
   */
  plan(target: GenerationTarget = {}): GenerationPlan {
    const { time = Infinity, index } = target
    const chosen = this.#choose(target)
    if (chosen === null) {
      const path = generationsDirectory(this.#storage)
      const when = target.time === undefined ? '' : ' at that time'
      throw new ReplicaError('ERR_REPLICA_EMPTY', `${path} has no snapshot to start from${when}`, {
        path,
      })
    }
    const { snapshot, generation } = chosen
    const segments = segmentsSince(generation, snapshot, ({ createdAt, index: at }) => {
      return createdAt.getTime() <= time && at <= (index ?? Infinity)
    })
    const hole = firstHole(snapshot, segments)
    if (hole !== null) throw hole
    const reached = segments.at(-1)?.index ?? snapshot.index
    if (index !== undefined && reached !== index) {
      throw new ReplicaError(
        'ERR_REPLICA_NOT_REACHED',
        `generation ${generation.name} ends with the WAL of index ${reached}, before ${index}`,
        { path: generationDirectory(this.#storage, generation.name) },
      )
    }
    const bytes = segments.reduce((sum, segment) => sum + segment.size, snapshot.size)
    return { snapshot, segments, bytes }
  }

  /** The time of the newest file that was written up to a time, in ms since 1970; `null` if there is none. */
  newest(time = Infinity): number | null {
    const times = this.all.flatMap((generation) => newestOf(generation, Infinity, time) ?? [])
    return times.length === 0 ? null : times.reduce((one, other) => Math.max(one, other))
  }

  /** The generation that was written last, and its last snapshot. Skips a generation if all its snapshots are later. */
  #choose({ index = Infinity, time = Infinity }: GenerationTarget): {
    generation: Generation
    snapshot: Snapshot
  } | null {
    const byAge = this.all
      .flatMap((generation) => {
        const newest = newestOf(generation, index, time)
        return newest === null ? [] : [{ generation, newest }]
      })
      .toSorted((one, other) => other.newest - one.newest)
    for (const { generation, newest } of byAge) {
      if (generation.snapshots.length === 0) throw withoutSnapshot(generation, newest)
      const snapshot = generation.snapshots.findLast(
        (one) => one.index <= index && one.createdAt.getTime() <= time,
      )
      if (snapshot !== undefined) return { generation, snapshot }
    }
    return null
  }
}

/** The segments from a snapshot on, up to the first unwanted one: later segments depend on it. */
export function segmentsSince(
  { segments }: Generation,
  snapshot: Snapshot,
  isWanted: (segment: WalSegment) => boolean,
): WalSegment[] {
  const since = segments.filter(({ index }) => index >= snapshot.index)
  const end = since.findIndex((segment) => !isWanted(segment))
  return end === -1 ? since : since.slice(0, end)
}

/** The error for the first WAL index that is missing between a snapshot and these segments; `null` if none is. */
export function firstHole(
  snapshot: Snapshot,
  segments: readonly WalSegment[],
): ReplicaError | null {
  let expected = snapshot.index
  for (const { index, path } of segments) {
    if (index > expected) {
      return new ReplicaError(
        'ERR_REPLICA_GAP',
        `the WAL of index ${expected} before ${path} is missing; ${beforeIt(snapshot, segments, path)}`,
        { path },
      )
    }
    expected = index + 1
  }
  return null
}

/** Adds to the error what can be restored without the segment at fault. */
export function explainGeneration(error: unknown, { snapshot, segments }: GenerationPlan): unknown {
  if (!(error instanceof ReplicaError) || error.code === 'ENOENT') return error
  const { code, message, path, cause } = error
  if (path === undefined || !segments.some((segment) => segment.path === path)) return error
  return new ReplicaError(code, `${message}; ${beforeIt(snapshot, segments, path)}`, {
    path,
    cause,
  })
}

/** Says how to restore the state before a segment: by the time of the file before it. */
function beforeIt(snapshot: Snapshot, segments: readonly WalSegment[], path: string): string {
  const at = segments.findIndex((segment) => segment.path === path)
  const before = segments[at - 1] ?? snapshot
  return `the state before it is of ${before.createdAt.toISOString()}: restore that one by its time`
}

/** The error for a generation that has WAL but no snapshot. Its WAL may be newer than every state that can be restored. */
export function withoutSnapshot({ name, segments }: Generation, newest: number): ReplicaError {
  const path = segments[0]?.path
  return new ReplicaError(
    'ERR_REPLICA_GAP',
    `generation ${name} has WAL up to ${new Date(newest).toISOString()} and no snapshot to start from; bring the snapshot back, restore a time before that WAL, or move the generation away`,
    { path },
  )
}

/** The time of the newest file up to an index and a time; `null` if there is none. */
export function newestOf(
  { snapshots, segments }: Generation,
  index: number,
  time: number,
): number | null {
  let newest: number | null = null
  for (const one of [...snapshots, ...segments]) {
    const created = one.createdAt.getTime()
    if (one.index <= index && created <= time && created >= (newest ?? -Infinity)) newest = created
  }
  return newest
}
