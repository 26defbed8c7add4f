// @vitest-environment-options { "alone": "windows" }
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import type * as Promises from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type * as Durable from '@howdah/durable'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TemporaryFile } from '../src/file/temporary-file.ts'
import { FileReplica } from '../src/index.ts'
import { DatabaseWriter } from '../src/restore/database-writer.ts'
import { ltx, refusal } from './support/files.ts'

/** What is brought to disk and named, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as string[],
  failing: '',
  error: 'EIO',
  note: (_call: string, _path: string): void => undefined,
}))

vi.mock('@howdah/durable', async (original) => {
  const real = await original<typeof Durable>()
  return {
    ...real,
    syncFile: async (fd: number) => {
      seen.note('sync', 'temporary')
      await real.syncFile(fd)
    },
    syncDirectory: async (path: string) => {
      seen.note('sync', path)
      await real.syncDirectory(path)
    },
  }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  return {
    ...real,
    rename: async (from: string, to: string) => {
      seen.note('rename', to)
      await real.rename(from, to)
    },
    link: async (from: string, to: string) => {
      seen.note('link', to)
      await real.link(from, to)
    },
    unlink: async (path: string) => {
      seen.note('unlink', path)
      await real.unlink(path)
    },
    rmdir: async (path: string) => {
      seen.note('rmdir', path)
      await real.rmdir(path)
    },
  }
})

let home: TemporaryDirectory
let replica: FileReplica

beforeEach(() => {
  home = temporaryDirectory()
  replica = new FileReplica(home.file('replica'))
  Object.assign(seen, {
    calls: [],
    failing: '',
    error: 'EIO',
    note: (call: string, path: string) => {
      const named = `${call} ${path === home.path ? 'home' : basename(path)}`
      seen.calls.push(named)
      if (named === seen.failing)
        throw Object.assign(new Error('made to fail'), { code: seen.error })
    },
  })
})

afterEach(() => home[Symbol.dispose]())

const write = async (txid: bigint): Promise<void> =>
  void (await replica.writeLtxFile(0, txid, txid, await ltx(txid)))
const name = (txid: number) => `${`${txid}`.padStart(16, '0')}-${`${txid}`.padStart(16, '0')}.ltx`

describe('a file of a replica', () => {
  it('gets its name only when it is on disk, and so do the directories above it', async () => {
    await write(1n)
    const made = ['sync ltx', 'sync replica', 'sync home']
    const published = ['sync temporary', `rename ${name(1)}`, 'sync 0']
    expect(seen.calls).toEqual([...made, ...published])
    seen.calls = []
    await write(2n)
    expect(seen.calls).toEqual(['sync temporary', `rename ${name(2)}`, 'sync 0'])
  })

  it.each(['sync ltx', 'sync home', 'sync temporary', `rename ${name(1)}`])(
    'does not appear if the disk fails at: %s',
    async (failing) => {
      seen.failing = failing
      expect(await refusal(write(1n))).toBe('ERR_REPLICA_IO')
      const files = readdirSync(home.path, { recursive: true }).map(String)
      expect(
        files.filter((file) => /ltx$|tmp$/.test(basename(file)) && basename(file) !== 'ltx'),
      ).toEqual([])
    },
  )

  it('counts as written only when its name is on disk', async () => {
    seen.failing = 'sync 0'
    expect(await refusal(write(1n))).toBe('ERR_REPLICA_IO')
  })

  it('does not come back after it was deleted', async () => {
    await write(1n)
    seen.calls = []
    await replica.deleteLtxFiles([{ level: 0, minTxid: 1n, maxTxid: 1n }])
    expect(seen.calls).toEqual([`unlink ${name(1)}`, 'sync 0'])
  })
})

describe('a replica of which all is deleted', () => {
  beforeEach(async () => {
    await write(1n)
    seen.calls = []
  })

  it('has lost each file before its directory, for good', async () => {
    await replica.deleteAll()
    expect(seen.calls).toEqual([
      `unlink ${name(1)}`,
      'rmdir 0',
      'sync ltx',
      'rmdir ltx',
      'sync replica',
    ])
    await replica.deleteAll()
    expect(existsSync(home.file('replica'))).toBe(true)
  })

  it.each(['ENOTEMPTY', 'EEXIST', 'ENOENT'])(
    'keeps a directory that somebody has filled or removed meanwhile (%s)',
    async (error) => {
      Object.assign(seen, { failing: 'rmdir 0', error })
      await replica.deleteAll()
      expect(readdirSync(home.file('replica', 'ltx'))).toEqual(['0'])
    },
  )

  it('is not said to be gone if a directory cannot be removed', async () => {
    seen.failing = 'rmdir 0'
    expect(await refusal(replica.deleteAll())).toBe('ERR_REPLICA_IO')
  })
})

describe('no file of a replica stays open', linuxOnly('/proc/self/fd'), () => {
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(home.path)
      } catch {
        return false
      }
    }).length

  it('after it was written, read or refused', async () => {
    await write(1n)
    expect(open()).toBe(0)
    expect(await refusal(replica.writeLtxFile(0, 2n, 2n, await ltx(3n)))).toBe(
      'ERR_REPLICA_MISMATCH',
    )
    expect(open()).toBe(0)
    await replica.restore({ output: home.file('app.db'), integrityCheck: 'none' })
    expect(open()).toBe(0)
    writeFileSync(replica.ltxFilePath(0, 2n, 2n), await ltx(3n))
    expect(
      await refusal(replica.restore({ output: home.file('other.db'), integrityCheck: 'none' })),
    ).toBe('ERR_REPLICA_MISMATCH')
    await until('all is closed', () => open() === 0)
  })
})

describe('a restored database', () => {
  const restore = async (onProgress?: () => void) =>
    await replica.restore({
      output: home.file('app.db'),
      integrityCheck: 'none',
      ...(onProgress !== undefined && { onProgress }),
    })

  beforeEach(async () => {
    await write(1n)
    seen.calls = []
  })

  it('gets its name only when it is on disk', async () => {
    await restore()
    expect(seen.calls).toEqual(['sync temporary', 'link app.db', 'sync home'])
  })

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
    'gets its name by a rename if the file system has no links (%s)',
    async (error) => {
      Object.assign(seen, { failing: 'link app.db', error })
      await restore()
      expect(seen.calls).toEqual(['sync temporary', 'link app.db', 'rename app.db', 'sync home'])
      expect(readdirSync(home.path).toSorted()).toEqual(['app.db', 'replica'])
    },
  )

  it.each(['sync temporary', 'link app.db'])(
    'does not appear if the disk fails at: %s',
    async (failing) => {
      seen.failing = failing
      expect(await refusal(restore())).toBe('ERR_REPLICA_IO')
      expect(readdirSync(home.path)).toEqual(['replica'])
    },
  )

  it('counts as restored only when its name is on disk', async () => {
    seen.failing = 'sync home'
    expect(await refusal(restore())).toBe('ERR_REPLICA_IO')
  })

  it.each(['app.db', 'app.db-journal', 'app.db-wal', 'app.db-shm'])(
    'replaces no file that appears meanwhile: %s',
    async (taken) => {
      const onProgress = () => writeFileSync(home.file(taken), 'somebody else’s')
      expect(await refusal(restore(onProgress))).toBe('ERR_REPLICA_OUTPUT_EXISTS')
      expect(readFileSync(home.file(taken), 'utf8')).toBe('somebody else’s')
      expect(readdirSync(home.path).toSorted()).toEqual([taken, 'replica'].toSorted())
    },
  )

  it('replaces no file that appears at the last instant', async () => {
    const { note } = seen
    seen.note = (call, path) => {
      if (call === 'link') writeFileSync(path, 'somebody else’s')
      note(call, path)
    }
    expect(await refusal(restore())).toBe('ERR_REPLICA_OUTPUT_EXISTS')
    expect(readFileSync(home.file('app.db'), 'utf8')).toBe('somebody else’s')
    expect(existsSync(home.file('app.db-wal'))).toBe(false)
  })
})

describe('a writer of databases', () => {
  /** A file whose writes are answered by the test. */
  function scripted() {
    const asked: { start: number; bytes: number; answer: (bytes: number | Error) => void }[] = []
    const sizes: number[] = []
    const handle = {
      truncate: async (size: number) => {
        if (size < 0) throw Object.assign(new Error('made to fail'), { code: 'EIO' })
        sizes.push(size)
      },
      writev: (buffers: Uint8Array[], start: number) =>
        new Promise((done, fail) => {
          const bytes = buffers.reduce((sum, { length }) => sum + length, 0)
          const answer = (given: number | Error) =>
            given instanceof Error ? fail(given) : done({ bytesWritten: given })
          asked.push({ start, bytes, answer })
        }),
    } as unknown as FileHandle
    const writer = new DatabaseWriter({ path: 'app.db', handle } as TemporaryFile)
    return { asked, writer, sizes }
  }
  // Smaller ones are written at once.
  const page = Buffer.alloc(32_768)
  const turn = () => new Promise(setImmediate)

  it('reports that its last batch failed', async () => {
    const { asked, writer } = scripted()
    await writer.write(page, 0)
    const flushed = refusal(writer.flush())
    await turn()
    asked[0]?.answer(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    expect(await flushed).toBe('ERR_REPLICA_NO_SPACE')
  })

  it('also reports at the next call that an earlier batch failed', async () => {
    const { asked, writer } = scripted()
    await writer.write(page, 0)
    await writer.write(page, 262_144)
    await turn()
    asked[0]?.answer(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    await turn()
    expect(await refusal(writer.write(page, 0))).toBe('ERR_REPLICA_NO_SPACE')
  })

  it('is done when everything is written, and goes on after a partial write', async () => {
    const { asked, writer } = scripted()
    await writer.write(page, 0)
    await writer.write(page, 32_768)
    const state = { done: false }
    const flushed = writer.flush().then(() => (state.done = true))
    await turn()
    asked[0]?.answer(44_800)
    await turn()
    expect([state.done, asked.map(({ start, bytes }) => [start, bytes])]).toEqual([
      false,
      [
        [0, 65_536],
        [44_800, 20_736],
      ],
    ])
    asked[1]?.answer(20_736)
    await flushed
    expect(writer.bytesWritten).toBe(65_536)
  })

  it('writes to one position in order, and to different positions at the same time', async () => {
    const { asked, writer } = scripted()
    const starts = () => asked.map(({ start }) => start)
    for (const offset of [0, 262_144]) await writer.write(page, offset)
    // It sends what was told before, and this overlaps nothing.
    await writer.write(page, 16_384)
    await turn()
    expect(starts()).toEqual([0, 262_144])
    const flushed = writer.flush()
    await turn()
    expect(starts()).toEqual([0, 262_144])
    asked[0]?.answer(32_768)
    await turn()
    expect(starts()).toEqual([0, 262_144, 16_384])
    for (const { answer } of asked.slice(1)) answer(32_768)
    await flushed
  })

  it('sends a batch as soon as it has a megabyte, and the next one at the same time', async () => {
    const { asked, writer } = scripted()
    const megabyte = 1_048_576
    for (let offset = 0; offset < 2 * megabyte + 32_768; offset += 32_768)
      await writer.write(page, offset)
    await turn()
    expect(asked.map(({ start, bytes }) => [start, bytes])).toEqual([
      [0, megabyte],
      [megabyte, megabyte],
    ])
    const flushed = writer.flush()
    await turn()
    for (const { bytes, answer } of asked) answer(bytes)
    await flushed
    expect(asked[2]).toMatchObject({ start: 2 * megabyte, bytes: 32_768 })
    expect(writer.bytesWritten).toBe(2 * megabyte + 32_768)
  })

  it('sets the size of the file at the end, and reports if that fails', async () => {
    const { asked, writer, sizes } = scripted()
    await writer.write(page, 0)
    const truncated = writer.truncate(262_144)
    await turn()
    expect(sizes).toEqual([])
    asked[0]?.answer(32_768)
    await truncated
    expect(sizes).toEqual([262_144])
    expect(await refusal(writer.truncate(-1))).toBe('ERR_REPLICA_IO')
  })

  it('writes nothing for empty pages', async () => {
    const { asked, writer } = scripted()
    await writer.flush()
    await writer.write(page, 524_288)
    const flushed = writer.flush()
    await turn()
    asked[0]?.answer(32_768)
    await flushed
    await writer.flush()
    expect(asked.map(({ start }) => start)).toEqual([524_288])
  })

  it('writes small pages at once, over one another in order', async () => {
    using directory = temporaryDirectory()
    await using file = await TemporaryFile.create(directory.file('app.db'), 0o600)
    const writer = new DatabaseWriter(file)
    const wanted = Buffer.alloc(3 * 4096)
    for (const [index, offset] of [0, 8192, 4096, 0, 1024].entries()) {
      const data = Buffer.alloc(4096, index + 1)
      wanted.set(data, offset)
      await writer.write(data, offset)
    }
    await writer.flush()
    expect(readFileSync(file.path)).toEqual(wanted)
    expect(writer.bytesWritten).toBe(5 * 4096)
    await file.handle.close()
    await writer.write(wanted.subarray(0, 4096), 0)
    expect(await refusal(writer.flush())).toBe('ERR_REPLICA_IO')
  })

  it('has at most sixteen batches in flight', async () => {
    const { asked, writer } = scripted()
    const writing = (async () => {
      for (let index = 0; index < 20; index++) await writer.write(page, index * 262_144)
      await writer.flush()
    })()
    await turn()
    expect(asked).toHaveLength(16)
    for (let next = 0; next < 20; next++) {
      asked[next]?.answer(32_768)
      await turn()
    }
    await writing
    expect(asked).toHaveLength(20)
  })
})
