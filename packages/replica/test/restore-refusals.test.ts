import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { encodeLtx, type LtxHeaderInit } from '@howdah/ltx'
import { describe, expect, it } from 'vitest'
import { FileReplica, type RestoreOptions } from '../src/index.ts'
import { below, ltx, refusal } from './support/files.ts'

const require = createRequire(import.meta.url)
const { compressFrameSync } = require('lz4-napi') as {
  compressFrameSync(this: void, data: Buffer, options: { contentChecksum: boolean }): Buffer
}

/** A replica, and a place to restore to. */
class Place implements Disposable {
  readonly directory: TemporaryDirectory = temporaryDirectory()
  readonly replica = new FileReplica(this.directory.file('replica'))
  readonly output = this.directory.file('out', 'app.db')

  constructor() {
    mkdirSync(this.directory.file('out'))
  }

  async write(
    level: number,
    min: number,
    max = min,
    more: Partial<LtxHeaderInit> = {},
  ): Promise<void> {
    const [minTxid, maxTxid] = [BigInt(min), BigInt(max)]
    await this.replica.writeLtxFile(level, minTxid, maxTxid, await ltx(minTxid, maxTxid, more))
  }

  /** Puts a file of litestream 0.3 where it belongs. */
  writeOld(name: string, data: Buffer): void {
    const path = join(this.replica.path, 'generations/0123456789abcdef', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, compressFrameSync(data, { contentChecksum: true }))
  }

  /** The code that restoring is refused with, and what that leaves behind. */
  async refusal(options: Partial<RestoreOptions> = {}): Promise<string> {
    const code = await refusal(
      this.replica.restore({ output: this.output, integrityCheck: 'none', ...options }),
    )
    const left = below(this.directory.file('out'))
    return left.length === 0 ? code : `${code}, and left ${left.join()}`
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]()
  }
}

describe('a restore is refused, and leaves nothing,', () => {
  it('if there is nothing to restore', async () => {
    using place = new Place()
    expect(await place.refusal()).toBe('ERR_REPLICA_EMPTY')
    expect(await place.refusal({ txid: 1n })).toBe('ERR_REPLICA_EMPTY')
    await place.write(0, 1, 1)
    expect(await place.refusal({ time: 999 })).toBe('ERR_REPLICA_EMPTY')
    expect(await place.refusal({ generation: '0123456789abcdef' })).toBe('ERR_REPLICA_EMPTY')
  })

  it('if transactions are missing, unless the wanted state is before them', async () => {
    using place = new Place()
    await place.write(0, 1, 2)
    await place.write(0, 4, 4)
    expect(await place.refusal()).toBe('ERR_REPLICA_GAP')
    expect(await place.refusal({ txid: 4n })).toBe('ERR_REPLICA_GAP')
    expect(await place.refusal({ time: 4000 })).toBe('ERR_REPLICA_GAP')
    const { from } = await place.replica.restore({
      output: place.output,
      time: 3999,
      integrityCheck: 'none',
    })
    expect(from).toEqual({ format: 'ltx', txid: 2n })
  })

  it('if no file starts with the first transaction', async () => {
    using place = new Place()
    await place.write(0, 2, 5)
    expect(await place.refusal()).toBe('ERR_REPLICA_GAP')
  })

  it('if no file ends with the transaction', async () => {
    using place = new Place()
    await place.write(0, 1, 3)
    await place.write(0, 4, 6)
    expect(await place.refusal({ txid: 5n })).toBe('ERR_REPLICA_NOT_REACHED')
    expect(await place.refusal({ txid: 7n })).toBe('ERR_REPLICA_NOT_REACHED')
  })

  it('if a file is damaged, cut off, or has other transactions or another page size', async () => {
    for (const [change, code] of [
      [(bytes: Buffer) => bytes.fill(7, 110, 112), 'ERR_REPLICA_DAMAGED'],
      [(bytes: Buffer) => bytes.subarray(0, -1), 'ERR_REPLICA_DAMAGED'],
      [() => ltx(3n), 'ERR_REPLICA_MISMATCH'],
      [() => ltx(2n, 2n, { pageSize: 1024 }), 'ERR_REPLICA_MISMATCH'],
    ] as const) {
      using place = new Place()
      await place.write(0, 1)
      await place.write(0, 2)
      const path = place.replica.ltxFilePath(0, 2n, 2n)
      writeFileSync(path, await change(readFileSync(path)))
      expect(await place.refusal()).toBe(code)
    }
  })

  it('if the output exists, or a file that SQLite would use as its journal or WAL', async () => {
    for (const suffix of ['', '-journal', '-wal', '-shm']) {
      using place = new Place()
      await place.write(0, 1)
      writeFileSync(place.output + suffix, 'mine')
      const restoring = place.replica.restore({ output: place.output })
      expect(await refusal(restoring)).toBe('ERR_REPLICA_OUTPUT_EXISTS')
      expect(readFileSync(place.output + suffix, 'utf8')).toBe('mine')
      expect(below(place.directory.file('out'))).toEqual([`app.db${suffix}`])
    }
  })

  it('if SQLite finds the result damaged', async ({ skip }) => {
    using place = new Place()
    await place.write(0, 1)
    const output = place.directory.file('unchecked.db')
    const { integrity } = await place.replica.restore({ output, integrityCheck: 'none' })
    expect(integrity).toEqual({ mode: 'none', checkedBy: null, skipped: 'not wanted' })
    const code = await place.refusal({ integrityCheck: 'full' }).catch(() => null)
    if (code === null) skip('neither node:sqlite nor sqlite3 is here')
    expect(code).toBe('ERR_REPLICA_INTEGRITY')
  })

  it('if its directory is missing', async () => {
    using place = new Place()
    await place.write(0, 1)
    expect(await place.refusal({ output: place.directory.file('none', 'app.db') })).toBe('ENOENT')
  })

  it('with options that contradict each other or are invalid', async () => {
    using place = new Place()
    for (const options of [
      { txid: 1n, time: 5 },
      { txid: 1n, index: 5 },
      { txid: 0n },
      { index: -1 },
      { time: new Date(Number.NaN) },
      { generation: 'x' },
      { output: '' },
    ]) {
      expect(await place.refusal(options)).toBe('ERR_REPLICA_OPTION')
    }
  })

  it('if a WAL of litestream 0.3 has a gap, or is damaged', async () => {
    const database = Buffer.alloc(8192)
    database.writeUInt16BE(4096, 16)
    for (const [names, code] of [
      [['wal/00000001_00000000'], 'ERR_REPLICA_GAP'],
      [['wal/00000000_00001000'], 'ERR_REPLICA_GAP'],
      [['wal/00000000_00000000'], 'ERR_REPLICA_DAMAGED'],
    ] as const) {
      using place = new Place()
      place.writeOld('snapshots/00000000.snapshot.lz4', database)
      const output = place.directory.file('sound.db')
      const { pages } = await place.replica.restore({ output, integrityCheck: 'none' })
      expect(pages).toBe(2)
      for (const name of names) place.writeOld(`${name}.wal.lz4`, Buffer.alloc(5000))
      expect(await place.refusal()).toBe(code)
    }
  })

  it('if a snapshot of litestream 0.3 is not a database', async () => {
    using place = new Place()
    place.writeOld('snapshots/00000000.snapshot.lz4', Buffer.alloc(5000))
    expect(await place.refusal()).toBe('ERR_REPLICA_DAMAGED')
  })
})

describe('a restore', () => {
  it('of a deleted database gives an empty file', async () => {
    using place = new Place()
    await place.write(0, 1)
    const header = { pageSize: 512, commit: 0, minTxid: 2n, maxTxid: 2n, timestamp: 0n }
    await place.replica.writeLtxFile(0, 2n, 2n, encodeLtx(header, []))
    const { pages, bytes } = await place.replica.restore({ output: place.output })
    expect([pages, bytes, readFileSync(place.output).length]).toEqual([0, 0, 0])
  })

  it('uses files of litestream 0.3 if the LTX files do not go back that far', async () => {
    using place = new Place()
    const database = Buffer.alloc(4096)
    database.writeUInt16BE(4096, 16)
    place.writeOld('snapshots/00000000.snapshot.lz4', database)
    const later = Date.now() + 1_000_000
    await place.write(0, 1, 1, { timestamp: BigInt(later) })
    const restored = async (time?: number): Promise<string> => {
      const output = place.directory.file(`${time ?? 'latest'}.db`)
      return (await place.replica.restore({ output, time, integrityCheck: 'none' })).from.format
    }
    expect(await restored(later - 1)).toBe('generation')
    expect(await restored(later)).toBe('ltx')
    expect(await restored()).toBe('ltx')
  })
})
