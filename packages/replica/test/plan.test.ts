import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { FileReplica, ReplicaError } from '../src/index.ts'
import { ltx } from './support/files.ts'
import { randomLayout, reachOf, type LayoutFile } from './support/random-layout.ts'

type Place = Omit<LayoutFile, 'timestamp'>

/** A replica of such files. */
async function replicaOf(root: string, files: readonly LayoutFile[]): Promise<FileReplica> {
  const replica = new FileReplica(root)
  for (const { level, min, max, timestamp } of files) {
    const path = replica.ltxFilePath(level, BigInt(min), BigInt(max))
    mkdirSync(dirname(path), { recursive: true })
    const bytes = await ltx(BigInt(min), BigInt(max), { timestamp: BigInt(timestamp) })
    writeFileSync(path, bytes)
  }
  return replica
}

/** The transaction up to which a plan goes, or the code with which it is refused. */
async function planned(replica: FileReplica, target: { txid?: bigint; time?: number }) {
  try {
    const { files, txid } = await replica.plan(target)
    let reached = 0n
    for (const { minTxid, maxTxid } of files) {
      if (minTxid > reached + 1n || maxTxid <= reached) return 'a chain that is none'
      reached = maxTxid
    }
    return reached === txid ? Number(txid) : 'a chain to elsewhere'
  } catch (error) {
    if (error instanceof ReplicaError) return error.code
    throw error
  }
}

/** Files whose last transaction was made at the time of its number. */
const inTime = (files: readonly Place[]): LayoutFile[] =>
  files.map((file) => ({ ...file, timestamp: file.max }))

describe('a state as of a time', () => {
  it('is the last one from files of that time: later files are not missing', async () => {
    using directory = temporaryDirectory()
    const singles = [25, 26, 27, 28, 29, 30].map((txid) => ({ level: 0, min: txid, max: txid }))
    const compacted = [1, 11, 21].map((min) => ({ level: 1, min, max: min + 9 }))
    const replica = await replicaOf(directory.path, inTime([...compacted, ...singles]))
    for (const [time, txid] of [
      [9, 'ERR_REPLICA_EMPTY'],
      [10, 10],
      [24, 20],
      [25, 20],
      [27, 20],
      [29, 20],
      [30, 30],
      [Infinity, 30],
      [-Infinity, 'ERR_REPLICA_EMPTY'],
      [9e15, 30],
    ] as const) {
      expect([time, await planned(replica, { time })]).toEqual([time, txid])
    }
  })

  it('is refused if a file follows transactions that no file has', async () => {
    using directory = temporaryDirectory()
    const replica = await replicaOf(
      directory.path,
      inTime([
        { level: 1, min: 1, max: 10 },
        { level: 1, min: 15, max: 20 },
        { level: 0, min: 16, max: 16 },
      ]),
    )
    expect(await planned(replica, { time: 15 })).toBe(10)
    for (const time of [16, 17, 20, 99]) {
      expect(await planned(replica, { time })).toBe('ERR_REPLICA_GAP')
    }
    await expect(replica.plan({ time: 17 })).rejects.toThrow(
      /transactions 000000000000000b to 000000000000000e before .*00f-.*014\.ltx are missing; restore transaction 000000000000000a/,
    )
  })

  it('goes up to the first transaction of a later time, if the clock stepped back', async () => {
    using directory = temporaryDirectory()
    const clock = [1000, 2000, 1500, 1600, 2100]
    const files = clock.map((timestamp, index) => {
      return { level: 0, min: index + 1, max: index + 1, timestamp }
    })
    const replica = await replicaOf(directory.path, files)
    for (const [time, txid] of [
      [1000, 1],
      [1700, 1],
      [1999, 1],
      [2000, 4],
      [2100, 5],
    ] as const) {
      expect([time, await planned(replica, { time })]).toEqual([time, txid])
    }
  })
})

describe('a state after a transaction', () => {
  it('within a compacted file cannot be reached, and is not reported as a gap', async () => {
    using directory = temporaryDirectory()
    const singles = [6, 7, 8, 9, 10].map((txid) => ({ level: 0, min: txid, max: txid }))
    const files = inTime([{ level: 1, min: 1, max: 5 }, { level: 1, min: 1, max: 10 }, ...singles])
    const replica = await replicaOf(directory.path, files.slice(1))
    expect(await planned(replica, { txid: 7n })).toBe('ERR_REPLICA_NOT_REACHED')
    await expect(replica.plan({ txid: 7n })).rejects.toThrow(
      /; a later one is after 000000000000000a$/,
    )
    const whole = await replicaOf(directory.path, files)
    expect(await planned(whole, { txid: 7n })).toBe(7)
    expect(await planned(whole, { txid: 3n })).toBe('ERR_REPLICA_NOT_REACHED')
  })
})

describe('a plan for any arrangement of files', () => {
  it(
    'reaches as far as trying all orders of the files does',
    { tags: 'property', timeout: 600_000 },
    async () => {
      const random = seededRandom(14)
      const seen = { plan: 0, ERR_REPLICA_EMPTY: 0, ERR_REPLICA_GAP: 0, ERR_REPLICA_NOT_REACHED: 0 }
      const isMissing = () => Object.values(seen).includes(0)
      for (let round = times(60, 3_000); round > 0 || isMissing(); round--) {
        using directory = temporaryDirectory({ inMemory: true })
        const files = randomLayout(random, 2 + random.below(9))
        const replica = await replicaOf(directory.path, files)
        const reach = reachOf(files)
        const beyond = files.filter(({ max }) => max > reach)
        const described = JSON.stringify(files)
        const check = async (
          target: { txid?: bigint; time?: number },
          expected: unknown,
        ): Promise<void> => {
          const found = await planned(replica, target)
          seen[(typeof found === 'number' ? 'plan' : found) as keyof typeof seen]++
          expect([described, target, found]).toEqual([described, target, expected])
        }
        const latest =
          beyond.length > 0 ? 'ERR_REPLICA_GAP' : reach > 0 ? reach : 'ERR_REPLICA_EMPTY'
        await check({}, latest)
        const stamps = files.flatMap(({ timestamp }) => [timestamp - 1, timestamp])
        for (const time of new Set(stamps)) {
          const early = files.filter(({ timestamp }) => timestamp <= time)
          const farthest = reachOf(early)
          const isGap = beyond.some(({ timestamp }) => timestamp <= time)
          await check({ time }, isGap ? 'ERR_REPLICA_GAP' : farthest || 'ERR_REPLICA_EMPTY')
        }
        for (let txid = 1; txid <= 12; txid++) {
          const isReached = reachOf(files.filter(({ max }) => max <= txid)) === txid
          const isBeyond = txid > reach && beyond.some(({ max }) => max >= txid)
          const refusal =
            files.length === 0
              ? 'ERR_REPLICA_EMPTY'
              : isBeyond
                ? 'ERR_REPLICA_GAP'
                : 'ERR_REPLICA_NOT_REACHED'
          await check({ txid: BigInt(txid) }, isReached ? txid : refusal)
        }
      }
    },
  )
})
