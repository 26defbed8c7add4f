import { mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, times } from '@howdah/fixtures'
import { LtxFile } from '@howdah/ltx'
import { describe, expect, it } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { furthestTime } from '../src/ltx/header-time.ts'
import { below, gather, list, ltx, refusal } from './support/files.ts'

describe('a replica on disk', () => {
  it('has the layout of litestream', async () => {
    const replica = new FileReplica('/backups/app')
    expect(replica.type).toBe('file')
    expect(replica.path).toBe('/backups/app')
    expect(replica.ltxLevelDir(9)).toBe('/backups/app/ltx/9')
    expect(replica.ltxFilePath(0, 1n, 255n)).toBe(
      '/backups/app/ltx/0/0000000000000001-00000000000000ff.ltx',
    )
    await replica.init()
  })

  it.for([
    ['file:///backups/app', '/backups/app'],
    ['file:///with%20space/100%25', '/with space/100%'],
    ['file:///%C3%A4', '/ä'],
    ['file://localhost/backups', '/backups'],
    ['FILE:///a/../b', '/b'],
    ['file:///a%3Fb%23c', '/a?b#c'],
  ] as const)('comes from a URL: %s', ([url, path]) => {
    expect(FileReplica.fromUrl(url).path).toBe(path)
    expect(FileReplica.fromUrl(new URL(url)).path).toBe(path)
  })

  it.for([
    'file://',
    'file:relative',
    'file:/path',
    '/backups',
    's3://bucket/path',
    'file://host/path',
    'file:///a%2Fb',
    'file:///a%zz',
    'file:///a?b',
    'file:///a#b',
    '',
  ])('does not come from another URL: "%s"', (url) => {
    expect(() => FileReplica.fromUrl(url)).toThrow(
      expect.objectContaining({ code: 'ERR_REPLICA_OPTION' }),
    )
  })

  it('refuses invalid levels and transaction ids', () => {
    const replica = new FileReplica('/backups')
    const option = expect.objectContaining({ code: 'ERR_REPLICA_OPTION' })
    for (const level of [-1, 0.5, Number.NaN])
      expect(() => replica.ltxLevelDir(level)).toThrow(option)
    expect(() => replica.ltxFilePath(0, 0n, 1n)).toThrow(option)
    expect(() => replica.ltxFilePath(0, 2n, 1n)).toThrow(option)
    expect(() => replica.ltxFilePath(0, 1n, 1n << 64n)).toThrow(option)
    expect(() => new FileReplica('')).toThrow(option)
  })
})

describe('writing an LTX file', () => {
  it('sets its name, its time, and a mode for the owner only', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.file('a', 'b'))
    const bytes = await ltx(2n, 3n, { timestamp: 1_717_718_400_123n })
    const info = await replica.writeLtxFile(1, 2n, 3n, [bytes.subarray(0, 50), bytes.subarray(50)])
    const createdAt = new Date(1_717_718_400_123)
    expect(info).toEqual({ level: 1, minTxid: 2n, maxTxid: 3n, size: bytes.length, createdAt })
    expect(below(directory.path).at(-1)).toBe('a/b/ltx/1/0000000000000002-0000000000000003.ltx')
    expect(statSync(replica.ltxFilePath(1, 2n, 3n)).mode & 0o777).toBe(0o600)
    expect(statSync(replica.ltxLevelDir(1)).mode & 0o777).toBe(0o700)
    expect(await list(replica.ltxFiles(1))).toEqual([info])
  })

  it.for([0n, -1n, -1000n, 1n, 999n, 1_700_000_000_001n, 1_763_690_000_999n, 4_102_444_800_007n])(
    'sets the time to the millisecond: %i',
    async (timestamp) => {
      using directory = temporaryDirectory()
      const replica = new FileReplica(directory.path)
      await replica.writeLtxFile(0, 1n, 1n, await ltx(1n, 1n, { timestamp }))
      const { mtimeNs } = statSync(replica.ltxFilePath(0, 1n, 1n), { bigint: true })
      expect(mtimeNs - timestamp * 1_000_000n).toBeGreaterThanOrEqual(0n)
      expect(mtimeNs - timestamp * 1_000_000n).toBeLessThan(1_000_000n)
    },
  )

  it('replaces a file with the same name', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n, 1n, { byte: 1 }))
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n, 1n, { byte: 2 }))
    await using file = await LtxFile.open(replica.ltxFilePath(0, 1n, 1n))
    expect((await file.page(1))?.[0]).toBe(2)
  })

  it.for([
    ['ends early', async () => (await ltx(1n)).subarray(0, 150), 'ERR_REPLICA_DAMAGED'],
    ['is empty', () => Promise.resolve([]), 'ERR_REPLICA_DAMAGED'],
    ['names other transactions', () => ltx(1n, 2n), 'ERR_REPLICA_MISMATCH'],
    ['names later transactions', () => ltx(2n, 2n), 'ERR_REPLICA_MISMATCH'],
    [
      'has a time that no file has',
      () => ltx(1n, 1n, { timestamp: 1n << 62n }),
      'ERR_REPLICA_MISMATCH',
    ],
    [
      'has a time before all that files have',
      () => ltx(1n, 1n, { timestamp: -(1n << 62n) }),
      'ERR_REPLICA_MISMATCH',
    ],
    ['fails its checksum', async () => (await ltx(1n)).fill(0xff, 153), 'ERR_REPLICA_DAMAGED'],
    ['goes on after its end', async () => [await ltx(1n), Buffer.alloc(1)], 'ERR_REPLICA_DAMAGED'],
  ] as const)('leaves nothing if the source %s', async ([, source, code]) => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    expect(await refusal(replica.writeLtxFile(0, 1n, 1n, await source()))).toBe(code)
    expect(below(directory.path)).toEqual(['ltx', 'ltx/0'])
  })

  it.for([
    [2n, 3n, 1n, 3n],
    [2n, 3n, 2n, 4n],
  ] as const)(
    'of transactions %i to %i refuses %i to %i, by its path',
    async ([min, max, otherMin, otherMax]) => {
      using directory = temporaryDirectory()
      const replica = new FileReplica(directory.path)
      await expect(
        replica.writeLtxFile(0, min, max, await ltx(otherMin, otherMax)),
      ).rejects.toMatchObject({
        code: 'ERR_REPLICA_MISMATCH',
        path: replica.ltxFilePath(0, min, max),
      })
    },
  )

  it('takes the furthest times that a file can have', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    for (const [txid, timestamp] of [
      [1n, furthestTime],
      [2n, -furthestTime],
    ] as const) {
      const info = await replica.writeLtxFile(0, txid, txid, await ltx(txid, txid, { timestamp }))
      expect(BigInt(info.createdAt.getTime())).toBe(timestamp)
    }
  })

  it("passes the source's own error on, and leaves nothing", async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const failure = new Error('the network is gone')
    const half = (await ltx(1n)).subarray(0, 120)
    async function* source(): AsyncGenerator<Buffer> {
      yield half
      await Promise.reject(failure)
    }
    await expect(replica.writeLtxFile(0, 1n, 1n, source())).rejects.toBe(failure)
    expect(below(directory.path)).toEqual(['ltx', 'ltx/0'])
  })
})

describe('listing LTX files', () => {
  it('sorts by first and then last transaction, and ignores other files', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    for (const [min, max] of [
      [16n, 16n],
      [2n, 9n],
      [2n, 3n],
      [1n, 1n],
    ] as const) {
      await replica.writeLtxFile(0, min, max, await ltx(min, max))
    }
    const level = replica.ltxLevelDir(0)
    mkdirSync(join(level, '0000000000000003-0000000000000003.ltx'))
    writeFileSync(join(level, '0000000000000004-0000000000000004.ltx.0123456789abcdef.tmp'), '')
    writeFileSync(join(level, '0000000000000005-0000000000000005.ltx.tmp'), '')
    writeFileSync(join(level, '0000000000000006-0000000000000005.ltx'), '')
    writeFileSync(join(level, 'notes'), '')
    const found = await list(replica.ltxFiles(0))
    expect(found.map((file) => [file.minTxid, file.maxTxid])).toEqual([
      [1n, 1n],
      [2n, 3n],
      [2n, 9n],
      [16n, 16n],
    ])
    const sought = await list(replica.ltxFiles(0, 2n))
    expect(sought.map((file) => file.minTxid)).toEqual([2n, 2n, 16n])
    expect(await list(replica.ltxFiles(0, 17n))).toEqual([])
  })

  it('takes a file in the place of a directory for none, and fails with what else fails', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    writeFileSync(directory.file('ltx'), '')
    writeFileSync(directory.file('generations'), '')
    expect(await replica.ltxLevels()).toEqual([])
    expect(await replica.generations()).toEqual([])
    expect(await list(replica.ltxFiles(0))).toEqual([])
    const looping = new FileReplica(directory.file('loop'))
    symlinkSync('loop', directory.file('loop'))
    expect(await refusal(looping.ltxLevels())).toBe('ERR_REPLICA_IO')
  })

  it('is empty if the level or the replica is missing', async () => {
    using directory = temporaryDirectory()
    expect(await list(new FileReplica(directory.path).ltxFiles(3))).toEqual([])
    expect(await list(new FileReplica(directory.file('none')).ltxFiles(0))).toEqual([])
    expect(await new FileReplica(directory.file('none')).ltxLevels()).toEqual([])
  })

  it('reads levels in plain decimal', async () => {
    using directory = temporaryDirectory()
    for (const name of ['0', '2', '10', '01', 'x', '-1']) {
      mkdirSync(directory.file('ltx', name), { recursive: true })
    }
    expect(await new FileReplica(directory.path).ltxLevels()).toEqual([0, 2, 10])
  })

  it('seeks among many thousands', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const count = times(2_000, 100_000)
    mkdirSync(replica.ltxLevelDir(0), { recursive: true })
    for (let txid = 1n; txid <= count; txid++) writeFileSync(replica.ltxFilePath(0, txid, txid), '')
    const first = BigInt(count / 2)
    let [next, outOfOrder] = [first, 0]
    for await (const { minTxid } of replica.ltxFiles(0, first)) {
      if (minTxid !== next++) outOfOrder++
    }
    expect([next, outOfOrder]).toEqual([BigInt(count + 1), 0])
  })
})

describe('opening an LTX file', () => {
  it.for([
    [0, 0, 0, 157],
    [10, 0, 10, 157],
    [0, 10, 0, 10],
    [100, 20, 100, 120],
    [150, 100, 150, 157],
    [200, 0, 157, 157],
  ] as const)('gives the range from %i, of %i bytes', async ([offset, size, start, end]) => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const bytes = await ltx(1n)
    await replica.writeLtxFile(0, 1n, 1n, bytes)
    const range = await gather(await replica.openLtxFile(0, 1n, 1n, offset, size))
    expect(bytes.length).toBe(157)
    expect(range.equals(bytes.subarray(start, end))).toBe(true)
  })

  it('refuses negative offsets, and gives ENOENT for a missing file', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    expect(await refusal(replica.openLtxFile(0, 1n, 1n))).toBe('ENOENT')
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n))
    expect(await refusal(replica.openLtxFile(0, 1n, 1n, -1))).toBe('ERR_REPLICA_OPTION')
    expect(await refusal(replica.openLtxFile(0, 1n, 1n, 0, -1))).toBe('ERR_REPLICA_OPTION')
  })
})

describe('deleting', () => {
  it('removes files, and accepts that some are already gone', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    const files = [
      await replica.writeLtxFile(0, 1n, 1n, await ltx(1n)),
      await replica.writeLtxFile(0, 2n, 2n, await ltx(2n)),
      { level: 7, minTxid: 3n, maxTxid: 3n },
    ]
    await replica.deleteLtxFiles(files.slice(1))
    await replica.deleteLtxFiles(files.slice(1))
    expect((await list(replica.ltxFiles(0))).map((file) => file.minTxid)).toEqual([1n])
  })

  it('everything removes what a replica writes, and nothing else', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n))
    await replica.writeLtxFile(1, 1n, 1n, await ltx(1n))
    const level = replica.ltxLevelDir(0)
    writeFileSync(join(level, '0000000000000004-0000000000000004.ltx.0123456789abcdef.tmp'), '')
    writeFileSync(join(level, 'notes'), '')
    mkdirSync(directory.file('generations', '0123456789abcdef'), { recursive: true })
    await replica.deleteAll()
    await replica.deleteAll()
    expect(below(directory.path)).toEqual([
      'generations',
      'generations/0123456789abcdef',
      'ltx',
      'ltx/0',
      'ltx/0/notes',
    ])
    await new FileReplica(directory.file('none')).deleteAll()
  })
})

describe('verifying', () => {
  it('reports for every file whether it is sound', async () => {
    using directory = temporaryDirectory()
    const replica = new FileReplica(directory.path)
    await replica.writeLtxFile(0, 1n, 1n, await ltx(1n))
    await replica.writeLtxFile(0, 2n, 2n, await ltx(2n))
    await replica.writeLtxFile(1, 1n, 2n, await ltx(1n, 2n))
    const [damaged, renamed] = [replica.ltxFilePath(0, 2n, 2n), replica.ltxFilePath(2, 4n, 4n)]
    writeFileSync(damaged, (await ltx(2n)).subarray(0, 140))
    mkdirSync(replica.ltxLevelDir(2))
    writeFileSync(renamed, await ltx(5n))
    utimesSync(renamed, 1, 1)
    const verdicts = await list(replica.verify())
    expect(verdicts.map(({ path, problem }) => [path, problem?.code ?? 'sound'])).toEqual([
      [replica.ltxFilePath(0, 1n, 1n), 'sound'],
      [damaged, 'ERR_REPLICA_DAMAGED'],
      [replica.ltxFilePath(1, 1n, 2n), 'sound'],
      [renamed, 'ERR_REPLICA_MISMATCH'],
    ])
    expect((await list(replica.entries())).map((entry) => entry.path)).toEqual(
      verdicts.map((verdict) => verdict.path),
    )
  })
})
