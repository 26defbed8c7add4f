import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readPlainFile } from '@howdah/lock'
import { parseHistory, parseHistoryName, type Stretch } from './timeline.ts'
import { type Lsn, parseSegmentName, segmentName, segmentOf } from './wal-position.ts'

/** The files of an archive from a position on, up to the first gap. */
export interface Reach {
  /** The files, in the order in which they are replayed. */
  readonly files: readonly string[]
  /** The history files of all timelines. */
  readonly histories: readonly string[]
  /** The first missing file that has later files; `null` if there is no gap. */
  readonly missing: string | null
}

/** The content of the directory to which a cluster's WAL is archived. */
export class WalArchive {
  /** Absolute. */
  readonly path: string
  /** In bytes. */
  readonly segmentSize: number
  /** All names in it. */
  readonly names: ReadonlySet<string>
  /** The names of the history files that cannot be read. */
  readonly unreadable: readonly string[]
  readonly #pasts: ReadonlyMap<number, readonly Stretch[]>

  private constructor(
    path: string,
    segmentSize: number,
    names: ReadonlySet<string>,
    pasts: ReadonlyMap<number, readonly Stretch[]>,
    unreadable: readonly string[],
  ) {
    this.path = path
    this.segmentSize = segmentSize
    this.names = names
    this.#pasts = pasts
    this.unreadable = unreadable
  }

  /** Reads the archive. A past that cannot be read counts as unknown. */
  static async read(path: string, segmentSize: number): Promise<WalArchive> {
    const names = new Set(await readdir(path))
    const pasts = new Map<number, readonly Stretch[]>()
    const unreadable = []
    for (const name of names) {
      const timeline = parseHistoryName(name)
      if (timeline === null) continue
      try {
        const text = readPlainFile(join(path, name))
        pasts.set(timeline, parseHistory(timeline, text))
      } catch {
        unreadable.push(name)
      }
    }
    return new WalArchive(path, segmentSize, names, pasts, unreadable)
  }

  /** The number of files with WAL from a position on. */
  countFrom(lsn: Lsn): number {
    const first = segmentOf(lsn, this.segmentSize)
    const segments = [...this.names].flatMap(
      (name) => parseSegmentName(name, this.segmentSize) ?? [],
    )
    return segments.filter(({ number }) => number >= first).length
  }

  /** All timelines with a known past and the given others, oldest first. */
  timelines(others: readonly number[]): number[] {
    return [...new Set([...this.#pasts.keys(), ...others])].toSorted((one, other) => one - other)
  }

  /** The newest timeline that branches from `from` at or after `at`; otherwise `from`. */
  newest(from: number, at: Lsn): number {
    const all = [...this.#pasts.keys()].filter((timeline) => this.leadsTo(from, at, timeline))
    return Math.max(from, ...all)
  }

  /** The past of a timeline; `null` if it is not in the archive. */
  past(timeline: number): readonly Stretch[] | null {
    return this.#pasts.get(timeline) ?? (timeline === 1 ? [{ timeline, end: null }] : null)
  }

  /** Whether a position on one timeline is part of another's past. */
  leadsTo(timeline: number, at: Lsn, target: number): boolean {
    const stretch = this.past(target)?.find((one) => one.timeline === timeline)
    return stretch !== undefined && (stretch.end === null || at <= stretch.end)
  }

  /** The files from a position on, without a gap, towards the end of a timeline. */
  reach(from: Lsn, target: number): Reach {
    const past = this.past(target) ?? [{ timeline: target, end: null }]
    const last = this.#last(past)
    // All history files are given, so that the server chooses an unused number for its new timeline.
    const histories = [...this.names].filter((name) => parseHistoryName(name) !== null)
    const files = []
    for (let number = segmentOf(from, this.segmentSize); number <= last; number += 1n) {
      const file = this.#fileOf(number, past)
      if (file === null) {
        const missing = segmentName({ timeline: target, number }, this.segmentSize)
        return { files, histories, missing }
      }
      files.push(file)
    }
    return { files, histories, missing: null }
  }

  /** The highest number of a segment that belongs to a past; -1 if there is none. */
  #last(past: readonly Stretch[]): bigint {
    let last = -1n
    for (const name of this.names) {
      const segment = parseSegmentName(name, this.segmentSize)
      if (segment === null || segment.number <= last) continue
      const stretch = past.find(({ timeline }) => timeline === segment.timeline)
      if (stretch !== undefined && this.#isWithin(segment.number, stretch.end))
        last = segment.number
    }
    return last
  }

  /** The file of a segment, from the newest timeline that has one, as a recovering server looks for it. */
  #fileOf(number: bigint, past: readonly Stretch[]): string | null {
    for (const { timeline, end } of past.toReversed()) {
      const name = segmentName({ timeline, number }, this.segmentSize)
      if (this.#isWithin(number, end) && this.names.has(name)) return name
    }
    return null
  }

  #isWithin(number: bigint, end: Lsn | null): boolean {
    return end === null || number <= segmentOf(end, this.segmentSize)
  }
}
