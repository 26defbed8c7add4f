import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { seededRandom, type TemporaryDirectory, temporaryDirectory, times } from '@howdah/fixtures'
import { compactLtx, encodeLtx, type PageContent } from '@howdah/ltx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { below, list, refusal } from './support/files.ts'
import { History, integrityOf } from './support/history.ts'

const require = createRequire(import.meta.url)
const { compressFrameSync } = require('lz4-napi') as {
  compressFrameSync(this: void, data: Buffer, options: { contentChecksum: boolean }): Buffer
}

const transactions = 1_000
const checked = Math.min(times(20, 50), transactions)
const generation = '0123456789abcdef'
const start = 1_700_000_000_000

/** When a transaction was made. */
const timeOf = (txid: number): number => start + txid * 1000

/** One history, as LTX levels and snapshots, and as litestream 0.3 has it, with what the database was at some points. */
class Replicas implements Disposable {
  readonly directory: TemporaryDirectory = temporaryDirectory()
  readonly ltx = new FileReplica(this.directory.file('ltx'))
  readonly old = new FileReplica(this.directory.file('old'))
  readonly #random = seededRandom(8)
  /** The points at which restores are checked: the database's SHA-256 by transaction. */
  readonly points = new Map<number, string>()

  async fill(): Promise<void> {
    const points = new Set([1, 2, transactions - 1, transactions])
    while (points.size < checked) points.add(1 + this.#random.below(transactions))
    using history = new History(this.directory.file('original.db'), this.#random)
    mkdirSync(`${this.old.path}/generations/${generation}/snapshots`, { recursive: true })
    mkdirSync(`${this.old.path}/generations/${generation}/wal`, { recursive: true })
    const writing: Promise<void>[] = []
    for (let txid = 1; txid <= transactions; txid++) {
      const { pages, commit, wal, before } = history.next(txid % 73 === 0)
      // LTX starts with a snapshot.
      writing.push(this.#write(0, txid, txid, commit, txid === 1 ? history.snapshot() : pages))
      if (before !== null && wal.index % 3 === 0) this.#writeOldSnapshot(wal.index, before, txid)
      this.#writeOldSegment(wal.index, wal.offset, wal.bytes, txid)
      if (points.has(txid)) this.points.set(txid, history.sha256)
      if (txid % 10 > 0) continue
      await Promise.all(writing.splice(0))
      await this.#compact(0, 1, txid - 9, txid)
      if (txid % 100 === 0) await this.#compact(1, 2, txid - 99, txid)
      if (txid % 250 === 0) await this.#write(9, 1, txid, commit, history.snapshot())
    }
  }

  async #write(
    level: number,
    min: number,
    max: number,
    commit: number,
    pages: readonly PageContent[],
  ): Promise<void> {
    const [minTxid, maxTxid] = [BigInt(min), BigInt(max)]
    const header = { pageSize: 4096, commit, minTxid, maxTxid, timestamp: BigInt(timeOf(max)) }
    const encoding = this.#random.pick(['block', 'frame'] as const)
    await this.ltx.writeLtxFile(level, minTxid, maxTxid, encodeLtx(header, pages, { encoding }))
  }

  async #compact(from: number, to: number, min: number, max: number): Promise<void> {
    const inputs = []
    for await (const { minTxid, maxTxid } of this.ltx.ltxFiles(from, BigInt(min))) {
      if (maxTxid > max) break
      inputs.push(readFileSync(this.ltx.ltxFilePath(from, minTxid, maxTxid)))
    }
    await this.ltx.writeLtxFile(to, BigInt(min), BigInt(max), compactLtx(inputs))
  }

  #writeOldSnapshot(index: number, database: Buffer, txid: number): void {
    this.#writeOld(`snapshots/${hex(index)}.snapshot.lz4`, database, txid)
  }

  #writeOldSegment(index: number, offset: number, wal: Buffer, txid: number): void {
    this.#writeOld(`wal/${hex(index)}_${hex(offset)}.wal.lz4`, wal, txid)
  }

  #writeOld(name: string, data: Buffer, txid: number): void {
    const path = `${this.old.path}/generations/${generation}/${name}`
    writeFileSync(path, compressFrameSync(data, { contentChecksum: true }))
    utimesSync(path, timeOf(txid) / 1000, timeOf(txid) / 1000)
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]()
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, '0')
const sha256 = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

describe('a database that went through a thousand transactions', { tags: 'property' }, () => {
  let replicas: Replicas

  beforeAll(async () => {
    replicas = new Replicas()
    await replicas.fill()
  })
  afterAll(() => replicas[Symbol.dispose]())

  it('can be restored from LTX files to each of many transactions', async () => {
    expect(replicas.points.size).toBe(checked)
    for (const [txid, expected] of replicas.points) {
      const output = replicas.directory.file(`txid-${txid}.db`)
      // SQLite checks it below, where it runs on every machine.
      const result = await replicas.ltx.restore({
        output,
        txid: BigInt(txid),
        integrityCheck: 'none',
      })
      expect(result.from).toEqual({ format: 'ltx', txid: BigInt(txid) })
      expect(result.timestamp).toEqual(new Date(timeOf(txid)))
      expect(sha256(output)).toBe(expected)
      expect(integrityOf(output)).toBe('ok')
    }
  })

  it('can be restored from LTX files to each of many times', async () => {
    const random = seededRandom(9)
    for (const [txid, expected] of replicas.points) {
      const output = replicas.directory.file(`time-${txid}.db`)
      const time = timeOf(txid) + random.below(1000)
      const result = await replicas.ltx.restore({ output, time, integrityCheck: 'none' })
      expect(result.from).toEqual({ format: 'ltx', txid: BigInt(txid) })
      expect(sha256(output)).toBe(expected)
    }
  })

  it('can be restored from snapshots and WAL of litestream 0.3 to each of many times', async () => {
    for (const [txid, expected] of [...replicas.points].slice(0, times(8, 50))) {
      const output = replicas.directory.file(`old-${txid}.db`)
      const time = new Date(timeOf(txid) + 500)
      const result = await replicas.old.restore({ output, time, integrityCheck: 'none' })
      expect(result.from).toMatchObject({ format: 'generation', generation })
      expect(result.timestamp).toEqual(new Date(timeOf(txid)))
      expect(sha256(output)).toBe(expected)
      expect(integrityOf(output)).toBe('ok')
    }
  })

  it('can be restored to its latest state from both, and SQLite checks it if there is one', async () => {
    for (const replica of [replicas.ltx, replicas.old]) {
      const output = `${replica.path}.db`
      const { integrity, bytes } = await replica.restore({ output })
      expect(sha256(output)).toBe(replicas.points.get(transactions))
      expect(readFileSync(output).length).toBe(bytes)
      expect(integrity.checkedBy === null ? integrity.skipped : integrity.checkedBy).toMatch(
        /sqlite/,
      )
    }
  })

  it('can be restored to the end of a WAL, given by its index', async () => {
    const output = replicas.directory.file('index.db')
    const { from } = await replicas.old.restore({ output, index: 4, integrityCheck: 'none' })
    expect(from).toMatchObject({ format: 'generation', index: 4 })
    expect(integrityOf(output)).toBe('ok')
    const beyond = replicas.old.restore({ output: `${output}2`, index: 99 })
    expect(await refusal(beyond)).toBe('ERR_REPLICA_NOT_REACHED')
  })

  it('is restored from few files: snapshots and compacted ones', async () => {
    const plan = await replicas.ltx.plan({ txid: 773n })
    expect(plan.files.map(({ level, maxTxid }) => `${level}: ${maxTxid}`)).toEqual([
      '9: 750',
      '1: 760',
      '1: 770',
      '0: 771',
      '0: 772',
      '0: 773',
    ])
  })

  it('reports its progress up to all files and bytes', async () => {
    for (const replica of [replicas.ltx, replicas.old]) {
      const seen: string[] = []
      let last
      const output = `${replica.path}-progress.db`
      await replica.restore({
        output,
        time: timeOf(600),
        integrityCheck: 'none',
        onProgress: (progress) => {
          seen.push(progress.phase)
          last = progress
        },
      })
      expect([...new Set(seen)]).toEqual(['restoring', 'syncing', 'checking'])
      expect(last).toMatchObject({ phase: 'checking', file: output })
      expect(last).toSatisfy(
        (one: { files: number; totalFiles: number; bytes: number; totalBytes: number }) =>
          one.files === one.totalFiles && one.bytes === one.totalBytes,
      )
    }
  })

  it('lists the snapshots and segments of litestream 0.3 in order', async () => {
    const { old } = replicas
    expect(await old.generations()).toEqual([generation])
    const snapshots = await list(old.snapshots(generation))
    expect(snapshots.map((one) => one.index)).toEqual([0, 3, 6, 9, 12])
    const segments = await list(old.walSegments(generation))
    expect(segments.length).toBe(transactions)
    const sorted = segments.toSorted(
      (one, other) => one.index - other.index || one.offset - other.offset,
    )
    expect(segments).toEqual(sorted)
    const [first] = await list(await old.openWalSegment(generation, 0, 0))
    expect((first as Buffer).readUInt32BE(0) & ~1).toBe(0x377f_0682)
    expect(await refusal(old.openWalSegment(generation, 0, 1))).toBe('ENOENT')
    expect(await refusal(old.openSnapshot(generation, 1))).toBe('ENOENT')
  })

  it('is not restored if the caller aborts, and no file stays', async () => {
    const output = replicas.directory.file('stopped', 'a.db')
    mkdirSync(replicas.directory.file('stopped'))
    const controller = new AbortController()
    const restoring = replicas.ltx.restore({
      output,
      txid: 773n,
      signal: controller.signal,
      onProgress: ({ files }) => void (files === 2 && controller.abort(new Error('enough'))),
    })
    await expect(restoring).rejects.toThrow('enough')
    expect(below(replicas.directory.file('stopped'))).toEqual([])
  })
})
