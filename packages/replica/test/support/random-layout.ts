import type { Random } from '@howdah/fixtures'

/** An LTX file of a made-up replica. */
export interface LayoutFile {
  readonly level: number
  readonly min: number
  readonly max: number
  readonly timestamp: number
}

/**
 * The files of a replica after compactions and retention, of so many transactions: some snapshots, a level of compacted
 * files, and single transactions; some of them missing, with a clock that may stand still or step back.
 */
export function randomLayout(random: Random, transactions: number): LayoutFile[] {
  const clock = randomClock(random, transactions)
  const files: LayoutFile[] = []
  const add = (level: number, min: number, max: number): void => {
    files.push({ level, min, max, timestamp: clock[max] ?? 0 })
  }
  for (let count = random.below(3); count > 0; count--) add(9, 1, 1 + random.below(transactions))
  for (const level of [1, 2].slice(random.below(2))) {
    const length = 1 + random.below(4)
    const start = random.below(3) === 0 ? 1 + random.below(transactions) : 1
    for (let min = start; min + length - 1 <= transactions; min += length) {
      // Now and then one that overlaps the one before.
      add(level, random.below(8) === 0 ? Math.max(1, min - 1) : min, min + length - 1)
    }
  }
  const start = random.below(2) === 0 ? 1 : 1 + random.below(transactions)
  for (let txid = start; txid <= transactions; txid++) add(0, txid, txid)
  const missing = random.pick([0, 0, 0, 10, 4])
  const kept = files.filter(() => missing === 0 || random.below(missing) > 0)
  return [...new Map(kept.map((file) => [`${file.level} ${file.min} ${file.max}`, file])).values()]
}

/** When each transaction was made, by a clock that may be wrong. */
function randomClock(random: Random, transactions: number): number[] {
  const isSteady = random.below(2) === 0
  const clock = [0]
  let now = 1_000
  for (let txid = 1; txid <= transactions; txid++) {
    const step = random.pick([0, 10, 10, 10])
    now += isSteady || random.below(5) > 0 ? step : -10 * random.below(6)
    clock.push(now)
  }
  return clock
}

/** The farthest transaction that any order of files gives from the first on, found by trying all. */
export function reachOf(files: readonly LayoutFile[]): number {
  const reached = new Set([0])
  for (let size = 0; size < reached.size;) {
    size = reached.size
    for (const { min, max } of files) {
      if ([...reached].some((state) => min <= state + 1 && max > state)) reached.add(max)
    }
  }
  return Math.max(...reached)
}
