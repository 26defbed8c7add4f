import { readFileSync } from 'node:fs'
import { Random, temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Replica } from '../../src/index.ts'
import { gather, list, ltx, refusal } from './files.ts'
import { ModelHistory } from './model-history.ts'
import {
  emptyDatabase,
  generation,
  segmentName,
  snapshotName,
  walOf,
  compressed,
} from './old-files.ts'

/** A place in which a replica is, that can be looked into from outside. */
interface Place {
  readonly replica: Replica
  /** Puts a file there, by its path below the replica. */
  put(name: string, bytes: Buffer): Promise<void>
  /** The paths of all files below the replica, sorted. */
  names(): Promise<string[]>
}

/** The kind of places: each call of `place` gives a new one. */
export interface Places extends AsyncDisposable {
  place(): Promise<Place>
}

const nameOf = (min: number, max: number): string =>
  `${min.toString(16).padStart(16, '0')}-${max.toString(16).padStart(16, '0')}.ltx`

/** What every kind of replica has to do. `directory` is where files of a level go. */
export function describeReplica(
  kind: string,
  directory: (level: number) => string,
  start: () => Promise<Places>,
): void {
  describe(`a replica in ${kind}`, () => {
    let places: Places
    let place: Place
    let replica: Replica
    beforeAll(async () => {
      places = await start()
    })
    beforeEach(async () => {
      place = await places.place()
      ;({ replica } = place)
    })
    afterAll(async () => await places?.[Symbol.asyncDispose]())

    const write = async (level: number, min: number, max = min, byte = max): Promise<void> => {
      const bytes = await ltx(BigInt(min), BigInt(max), { byte })
      await replica.writeLtxFile(level, BigInt(min), BigInt(max), bytes)
    }

    it('writes files to the paths of litestream, and lists them with their sizes and times', async () => {
      const bytes = await ltx(2n, 3n, { timestamp: 1_717_718_400_123n })
      const source = [bytes.subarray(0, 50), bytes.subarray(50)]
      const info = await replica.writeLtxFile(9, 2n, 3n, source)
      const createdAt = new Date(1_717_718_400_123)
      expect(info).toEqual({ level: 9, minTxid: 2n, maxTxid: 3n, size: bytes.length, createdAt })
      expect(await place.names()).toEqual([`${directory(9)}/${nameOf(2, 3)}`])
      const path = `${replica.path}/${directory(9)}/${nameOf(2, 3)}`
      expect(replica.ltxFilePath(9, 2n, 3n)).toBe(path)
      expect(await list(replica.ltxFiles(9))).toEqual([info])
      expect(await list(replica.entries())).toEqual([{ kind: 'ltx', path, ...info }])
      expect(await replica.ltxLevels()).toEqual([9])
    })

    it('sorts listings by first and then last transaction, and ignores files that are not LTX files', async () => {
      for (const [min, max] of [
        [16, 16],
        [2, 9],
        [2, 3],
        [1, 1],
      ] as const)
        await write(0, min, max)
      await place.put(`${directory(0)}/notes`, Buffer.from('mine'))
      await place.put(`${directory(0)}/${nameOf(6, 5)}`, Buffer.from('mine'))
      await place.put(`${directory(0)}/${nameOf(7, 7)}.tmp`, Buffer.from('mine'))
      const listed = async (seek?: bigint) =>
        (await list(replica.ltxFiles(0, seek))).map((file) =>
          [file.minTxid, file.maxTxid].join('-'),
        )
      expect(await listed()).toEqual(['1-1', '2-3', '2-9', '16-16'])
      expect(await listed(2n)).toEqual(['2-3', '2-9', '16-16'])
      expect(await listed(17n)).toEqual([])
      expect(await list(replica.ltxFiles(1))).toEqual([])
    })

    it.for([
      { offset: 0, size: 0, start: 0, end: 157 },
      { offset: 0, size: 10, start: 0, end: 10 },
      { offset: 100, size: 0, start: 100, end: 157 },
      { offset: 100, size: 57, start: 100, end: 157 },
      { offset: 150, size: 1_000, start: 150, end: 157 },
      { offset: 157, size: 0, start: 0, end: 0 },
      { offset: 1_000, size: 5, start: 0, end: 0 },
    ])('opens $size bytes at $offset', async ({ offset, size, start: from, end }) => {
      const bytes = await ltx(1n)
      await replica.writeLtxFile(0, 1n, 1n, bytes)
      expect(bytes.length).toBe(157)
      const range = await gather(await replica.openLtxFile(0, 1n, 1n, offset, size))
      expect(range.equals(bytes.subarray(from, end))).toBe(true)
    })

    it('refuses negative ranges, and gives ENOENT for a missing file', async () => {
      expect(await refusal(replica.openLtxFile(0, 1n, 1n))).toBe('ENOENT')
      expect(await refusal(replica.openLtxFile(0, 1n, 1n, -1))).toBe('ERR_REPLICA_OPTION')
      expect(await refusal(replica.openLtxFile(0, 1n, 1n, 0, -1))).toBe('ERR_REPLICA_OPTION')
      expect(await refusal(replica.openSnapshot(generation, 1))).toBe('ENOENT')
    })

    it('replaces a file with the same name', async () => {
      await write(0, 1, 1, 1)
      await write(0, 1, 1, 2)
      const bytes = await gather(await replica.openLtxFile(0, 1n, 1n))
      expect(bytes.equals(await ltx(1n, 1n, { byte: 2 }))).toBe(true)
    })

    it.for([
      ['ends early', async () => (await ltx(1n)).subarray(0, 150), 'ERR_REPLICA_DAMAGED'],
      ['is empty', () => Promise.resolve([]), 'ERR_REPLICA_DAMAGED'],
      ['names other transactions', () => ltx(1n, 2n), 'ERR_REPLICA_MISMATCH'],
      [
        'has a time that no file has',
        () => ltx(1n, 1n, { timestamp: 1n << 62n }),
        'ERR_REPLICA_MISMATCH',
      ],
      ['fails its checksum', async () => (await ltx(1n)).fill(0xff, 153), 'ERR_REPLICA_DAMAGED'],
      [
        'goes on after its end',
        async () => [await ltx(1n), Buffer.alloc(1)],
        'ERR_REPLICA_DAMAGED',
      ],
    ] as const)('leaves nothing if the source %s', async ([, source, code]) => {
      expect(await refusal(replica.writeLtxFile(0, 1n, 1n, await source()))).toBe(code)
      expect(await place.names()).toEqual([])
    })

    it("passes a source's own error on, and leaves nothing", async () => {
      const failure = new Error('the network is gone')
      const half = (await ltx(1n)).subarray(0, 120)
      async function* source(): AsyncGenerator<Buffer> {
        yield half
        await Promise.reject(failure)
      }
      await expect(replica.writeLtxFile(0, 1n, 1n, source())).rejects.toBe(failure)
      expect(await place.names()).toEqual([])
    })

    it('deletes files, and accepts that some are already gone', async () => {
      await write(0, 1)
      await write(0, 2)
      const gone = [
        { level: 0, minTxid: 2n, maxTxid: 2n },
        { level: 7, minTxid: 3n, maxTxid: 3n },
      ]
      await replica.deleteLtxFiles(gone)
      await replica.deleteLtxFiles(gone)
      expect(await place.names()).toEqual([`${directory(0)}/${nameOf(1, 1)}`])
    })

    it('deletes everything that it writes, and nothing else', async () => {
      await replica.deleteAll()
      for (const level of [0, 1, 9]) await write(level, 1)
      await place.put(`${directory(0)}/notes`, Buffer.from('mine'))
      await place.put(`generations/${generation}/${snapshotName(0)}`, Buffer.from('mine'))
      await replica.deleteAll()
      await replica.deleteAll()
      expect(await place.names()).toEqual(
        [`${directory(0)}/notes`, `generations/${generation}/${snapshotName(0)}`].toSorted(),
      )
    })

    it('restores any transaction from files of all levels, checked against the model', async () => {
      using output = temporaryDirectory({ inMemory: true })
      const history = new ModelHistory(new Random(3), 8)
      for (const [level, min, max] of [
        [9, 1, 4],
        [1, 1, 2],
        [1, 3, 4],
        [1, 5, 6],
        [0, 7, 7],
        [0, 8, 8],
      ] as const) {
        const bytes = await history.file({ min, max, timestamp: max * 1000, tracked: true })
        await replica.writeLtxFile(level, BigInt(min), BigInt(max), bytes)
      }
      expect((await list(replica.verify())).filter(({ problem }) => problem !== null)).toEqual([])
      for (const txid of [2, 4, 6, 7, 8]) {
        for (const target of [{ txid: BigInt(txid) }, { time: txid * 1000 }]) {
          const path = output.file(`${txid} ${Object.keys(target).join('')}.db`)
          const { from } = await replica.restore({
            output: path,
            integrityCheck: 'none',
            ...target,
          })
          expect(from).toEqual({ format: 'ltx', txid: BigInt(txid) })
          expect(readFileSync(path).equals(history.database(txid))).toBe(true)
        }
      }
      await place.put(`${directory(0)}/${nameOf(7, 7)}`, Buffer.alloc(0))
      const found = (await list(replica.verify())).map(({ problem }) => problem?.code)
      expect(found.filter((code) => code !== undefined)).toEqual(['ERR_REPLICA_DAMAGED'])
      await expect(replica.restore({ output: output.file('a.db') })).rejects.toThrow(
        /the last state without it is after transaction 0000000000000006; restore that one$/,
      )
    })

    it('reads the files of litestream 0.3', async () => {
      using output = temporaryDirectory({ inMemory: true })
      const data = Buffer.alloc(512, 7)
      const { bytes, ends } = walOf([
        { page: 2, data, commit: 2 },
        { page: 1, data: emptyDatabase(1), commit: 2 },
      ])
      const [end = 0] = ends
      const old = `generations/${generation}`
      await place.put(`${old}/${snapshotName(0)}`, compressed(emptyDatabase(1)))
      await place.put(`${old}/${segmentName(0, 0)}`, compressed(bytes.subarray(0, end)))
      await place.put(`${old}/${segmentName(0, end)}`, compressed(bytes.subarray(end)))
      expect(await replica.generations()).toEqual([generation])
      expect((await list(replica.snapshots(generation))).map(({ index }) => index)).toEqual([0])
      const segments = await list(replica.walSegments(generation))
      expect(segments.map(({ index, offset }) => [index, offset])).toEqual([
        [0, 0],
        [0, end],
      ])
      const read = await gather(await replica.openWalSegment(generation, 0, end))
      expect(read.equals(bytes.subarray(end))).toBe(true)
      expect((await list(replica.verify())).map(({ problem }) => problem)).toEqual([
        null,
        null,
        null,
      ])
      const path = output.file('a.db')
      await replica.restore({ output: path, integrityCheck: 'none' })
      expect(readFileSync(path).equals(Buffer.concat([emptyDatabase(1), data]))).toBe(true)
    })

    it.for(['0000', 'ltx/0', 'ltx/0000', '0'])(
      'reads files in %s, and refuses others',
      async (where) => {
        await write(9, 1, 2)
        await place.put(`${where}/${nameOf(3, 3)}`, await ltx(3n))
        expect(await replica.ltxLevels()).toEqual([0, 9])
        expect((await replica.plan()).txid).toBe(3n)
        await place.put(`ltx/level/${nameOf(4, 4)}`, await ltx(4n))
        expect(await refusal(replica.plan())).toBe('ERR_REPLICA_LAYOUT')
        const verdicts = await list(replica.verify())
        expect(verdicts.map(({ problem }) => problem?.code)).toEqual([
          undefined,
          undefined,
          'ERR_REPLICA_LAYOUT',
        ])
      },
    )

    it('is reported as empty by verify if there is nothing', async () => {
      expect(await list(replica.entries())).toEqual([])
      expect((await list(replica.verify())).map(({ problem }) => problem?.code)).toEqual([
        'ERR_REPLICA_EMPTY',
      ])
      expect(await refusal(replica.plan())).toBe('ERR_REPLICA_EMPTY')
    })
  })
}
