import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Random, seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { FileReplica, ReplicaError, type RestoreTarget } from '../src/index.ts'
import { list, ltx } from './support/files.ts'
import { ModelHistory } from './support/model-history.ts'
import {
  emptyDatabase,
  generation,
  segmentName,
  snapshotName,
  walOf,
  writeOldFile,
  type Frame,
} from './support/old-files.ts'
import { randomLayout, reachOf, type LayoutFile } from './support/random-layout.ts'

/** The problems that verify finds: the ends of paths, and codes. */
async function problems(replica: FileReplica): Promise<string[]> {
  const verdicts = await list(replica.verify())
  return verdicts.flatMap(({ path, problem }) =>
    problem === null ? [] : [`${path.slice(replica.path.length + 1)} ${problem.code}`],
  )
}

function put(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

const frame = (page: number, byte: number, commit = 0, pageSize = 512): Frame => {
  return { page, data: Buffer.alloc(pageSize, byte), commit }
}

describe('verify finds what prevents a restore although each file is sound:', () => {
  const old = `generations/${generation}`

  it.for([
    {
      what: 'the first WAL of a snapshot',
      files: [[1, 0]],
      found: `${old}/wal/00000001_00000000.wal.lz4 ERR_REPLICA_GAP`,
    },
    {
      what: 'the first segment of a WAL',
      files: [[0, 32 + 536]],
      found: `${old}/wal/00000000_00000238.wal.lz4 ERR_REPLICA_GAP`,
    },
    {
      what: 'a WAL between others',
      files: [
        [0, 0],
        [2, 0],
      ],
      found: `${old}/wal/00000002_00000000.wal.lz4 ERR_REPLICA_GAP`,
    },
  ])('$what of litestream 0.3 is missing', async ({ files, found }) => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    writeOldFile(replica.path, snapshotName(0), emptyDatabase(2))
    const { bytes } = walOf([frame(1, 1, 2)])
    for (const [index = 0, offset = 0] of files) {
      writeOldFile(replica.path, segmentName(index, offset), bytes.subarray(offset))
    }
    expect(await problems(replica)).toEqual([found])
  })

  it('a generation of litestream 0.3 has no snapshot', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    writeOldFile(replica.path, segmentName(0, 0), walOf([frame(1, 1, 2)]).bytes)
    expect(await problems(replica)).toEqual([
      `${old}/wal/00000000_00000000.wal.lz4 ERR_REPLICA_GAP`,
    ])
  })

  it('a WAL of litestream 0.3 is damaged, or of another page size, below sound LZ4 frames', async () => {
    for (const [wal, code] of [
      [walOf([frame(1, 1, 2)]).bytes.fill(9, 100, 101), 'ERR_REPLICA_DAMAGED'],
      [walOf([frame(1, 1, 2)]).bytes.subarray(0, -1), 'ERR_REPLICA_DAMAGED'],
      [walOf([frame(1, 1, 2, 1024)], 1024).bytes, 'ERR_REPLICA_MISMATCH'],
    ] as const) {
      using directory = temporaryDirectory()
      const replica = new FileReplica(directory.path)
      writeOldFile(replica.path, snapshotName(0), emptyDatabase(2))
      writeOldFile(replica.path, segmentName(0, 0), wal)
      expect(await problems(replica)).toEqual([`${old}/wal/00000000_00000000.wal.lz4 ${code}`])
    }
  })

  it('two LTX files have different page sizes', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n))
    await replica.writeLtxFile(0, 2n, 2n, await ltx(2n, 2n, { pageSize: 1024 }))
    expect(await problems(replica)).toEqual([
      'ltx/0/0000000000000002-0000000000000002.ltx ERR_REPLICA_MISMATCH',
    ])
  })

  it('transactions are missing', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n))
    await replica.writeLtxFile(0, 4n, 4n, await ltx(4n))
    expect(await problems(replica)).toEqual([
      'ltx/0/0000000000000004-0000000000000004.ltx ERR_REPLICA_GAP',
    ])
  })

  it('there are no files', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    expect(await problems(replica)).toEqual([' ERR_REPLICA_EMPTY'])
  })
})

describe('verify', () => {
  it('accepts files that compaction and retention have left', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(9, 1n, 30n, await ltx(1n, 30n))
    await replica.writeLtxFile(1, 21n, 30n, await ltx(21n, 30n))
    for (let txid = 27n; txid <= 30n; txid++) {
      await replica.writeLtxFile(0, txid, txid, await ltx(txid))
    }
    expect(await problems(replica)).toEqual([])
  })

  it('reports which file it reads, and stops if the caller aborts', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    for (const txid of [1n, 2n, 3n]) await replica.writeLtxFile(0, txid, txid, await ltx(txid))
    const controller = new AbortController()
    const seen: string[] = []
    const onProgress = ({ file }: { file: string }): void => {
      seen.push(file)
      if (seen.length === 2) controller.abort(new Error('enough'))
    }
    const verdicts = list(replica.verify({ signal: controller.signal, onProgress }))
    await expect(verdicts).rejects.toThrow('enough')
    expect(seen).toEqual([replica.ltxFilePath(0, 1n, 1n), replica.ltxFilePath(0, 2n, 2n)])
  })
})

/** A replica at random, and what is known about it. */
class RandomReplica {
  readonly replica: FileReplica
  readonly #random: Random
  readonly #history: ModelHistory
  files: LayoutFile[] = []
  /** The states that can be asked of litestream 0.3's files. */
  readonly oldTargets: RestoreTarget[] = []
  /** Whether a single file is not sound. */
  hasDamage = false
  /** Whether all LTX files are of one history. */
  isOneHistory = true

  constructor(root: string, random: Random) {
    this.replica = new FileReplica(root)
    this.#random = random
    this.#history = new ModelHistory(random, 2 + random.below(8))
  }

  path({ level, min, max }: LayoutFile): string {
    return this.replica.ltxFilePath(level, BigInt(min), BigInt(max))
  }

  /** What the database was after a transaction. */
  database(txid: number): Buffer {
    return this.#history.database(txid)
  }

  async writeLtx(): Promise<void> {
    const random = this.#random
    const { length } = this.#history
    this.files = randomLayout(random, length)
    const tracked = random.pick([0, 0, 100, 50])
    const other =
      random.below(2) === 0
        ? this.#history.fork(random.below(length))
        : new ModelHistory(random, length, random.pick([512, 1024]))
    const share = random.pick([0, 0, 6])
    for (const file of this.files) {
      const isOther = share > 0 && random.below(share) === 0
      if (isOther) this.isOneHistory = false
      const isTracked = random.below(100) < tracked
      const bytes = await (isOther ? other : this.#history).file({ ...file, tracked: isTracked })
      put(this.path(file), bytes)
    }
    if (this.files.length > 0 && random.below(5) === 0)
      this.#damage(this.path(random.pick(this.files)))
  }

  /** Snapshots and WAL of some indexes, with some of them missing, damaged, or of another page size. */
  writeOld(): void {
    const random = this.#random
    const { path: root } = this.replica
    let time = 2_000
    const stamps: number[] = []
    const tick = (): number => {
      time += random.pick([0, 10, 10, -10])
      stamps.push(time)
      return time
    }
    const indexes = new Set<number>()
    const isMissing = random.pick([0, 0, 8])
    const drop = (): boolean => isMissing > 0 && random.below(isMissing) === 0
    for (let index = random.below(2), count = 1 + random.below(3); count > 0; count--, index++) {
      if (random.below(2) === 0 || indexes.size === 0) {
        if (!drop()) {
          const database = emptyDatabase(1 + random.below(2))
          this.#spoil(writeOldFile(root, snapshotName(index), database, tick()))
          indexes.add(index)
        }
      }
      const pageSize = random.below(10) === 0 ? 1024 : 512
      const frames = Array.from({ length: 1 + random.below(4) }, (_, place) => {
        return frame(1 + random.below(2), place + 1, random.pick([0, 2]), pageSize)
      })
      const { bytes, ends } = walOf(frames, pageSize)
      if (random.below(15) === 0) bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40)
      const cuts = [0, ...ends.filter(() => random.below(2) === 0), bytes.length]
      for (const [place, offset] of cuts.slice(0, -1).entries()) {
        const end = Math.max(offset, (cuts[place + 1] ?? 0) - (random.below(30) === 0 ? 1 : 0))
        if (end === offset || drop()) continue
        const path = writeOldFile(
          root,
          segmentName(index, offset),
          bytes.subarray(offset, end),
          tick(),
        )
        this.#spoil(path)
        indexes.add(index)
      }
    }
    if (indexes.size === 0) return
    this.oldTargets.push({ generation }, ...[...indexes].map((index) => ({ generation, index })))
    this.oldTargets.push(...stamps.map((stamp) => ({ generation, time: stamp })))
  }

  #spoil(path: string): void {
    if (this.#random.below(40) === 0) this.#damage(path)
  }

  #damage(path: string): void {
    this.hasDamage = true
    const { length } = readFileSync(path)
    truncateSync(path, this.#random.below(2) === 0 ? 0 : this.#random.below(length))
  }
}

/** The codes for "there is no such state": no promise was broken. */
const notThere = new Set(['ERR_REPLICA_EMPTY', 'ERR_REPLICA_NOT_REACHED'])

describe('any replica', () => {
  it(
    'is sound according to verify exactly if its files are, and then all its states can be restored',
    { tags: 'property', timeout: 600_000 },
    async () => {
      const random = seededRandom(15)
      const seen = { sound: 0, unsound: 0, restored: 0, compared: 0 }
      const isMissing = () => Object.values(seen).includes(0)
      for (let round = times(30, 2_000); round > 0 || isMissing(); round--) {
        using directory = temporaryDirectory({ inMemory: true })
        const made = new RandomReplica(directory.file('replica'), random)
        const kinds = random.below(5)
        if (kinds > 0) await made.writeLtx()
        if (kinds < 2) made.writeOld()
        const { replica, files } = made
        if (files.length + made.oldTargets.length === 0) continue

        const refusals: string[] = []
        const restore = async (target: RestoreTarget): Promise<void> => {
          const output = directory.file('restored.db')
          const { from } = await replica.restore({ ...target, output, integrityCheck: 'none' })
          seen.restored++
          if (from.format === 'ltx' && made.isOneHistory) {
            const isIt = readFileSync(output).equals(made.database(Number(from.txid)))
            if (!isIt) throw new Error(`it is not the database after transaction ${from.txid}`)
            seen.compared++
          }
          rmSync(output)
        }
        const attempt = async (target: RestoreTarget, mustBeThere: boolean): Promise<void> => {
          try {
            await restore(target)
          } catch (error) {
            if (!(error instanceof ReplicaError)) throw error
            if (!mustBeThere && notThere.has(error.code)) return
            refusals.push(`${JSON.stringify(target, writeBigInt)}: ${error.message}`)
          }
        }
        await attempt({}, true)
        for (let txid = 1; txid <= 10; txid++) {
          const isThere = reachOf(files.filter(({ max }) => max <= txid)) === txid
          if (isThere) await attempt({ txid: BigInt(txid) }, true)
        }
        for (const time of new Set(files.map(({ timestamp }) => timestamp))) {
          await attempt({ time, format: 'ltx' }, false)
          await attempt({ time }, false)
        }
        for (const target of made.oldTargets) await attempt(target, false)

        const found = await problems(replica)
        const isSound = found.length === 0
        seen[isSound ? 'sound' : 'unsound']++
        const all = { found, refusals, hasDamage: made.hasDamage }
        expect({ ...all, isSound }).toEqual({
          ...all,
          isSound: refusals.length === 0 && !made.hasDamage,
        })
      }
    },
  )
})

function writeBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
