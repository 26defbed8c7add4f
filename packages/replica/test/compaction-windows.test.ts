import { readdirSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ReplicaError } from '../src/errors.ts'
import { FileStorage } from '../src/file/file-storage.ts'
import { withDefaults } from '../src/file/modes.ts'
import { FileReplica } from '../src/index.ts'
import { restore } from '../src/restore/restore.ts'
import type { RestoreOptions } from '../src/restore/restore-options.ts'
import { ltx } from './support/files.ts'

/** A replica on disk, in which something happens before a file is opened. */
class WatchedStorage extends FileStorage {
  opened = 0
  before: (path: string) => Promise<void> = async () => undefined

  override async open(path: string, offset: number, size: number): Promise<Readable> {
    this.opened++
    await this.before(path)
    return await super.open(path, offset, size)
  }
}

let directory: TemporaryDirectory
let replica: FileReplica
let storage: WatchedStorage

beforeEach(async () => {
  directory = temporaryDirectory()
  const modes = withDefaults({})
  replica = new FileReplica(directory.file('replica'))
  storage = new WatchedStorage(directory.file('replica'), modes)
  for (const txid of [1n, 2n]) await replica.writeLtxFile(0, txid, txid, await ltx(txid))
})
afterEach(() => directory[Symbol.dispose]())

const restored = async (options: Partial<RestoreOptions> = {}) =>
  await restore(
    storage,
    { output: directory.file('app.db'), integrityCheck: 'none', ...options },
    withDefaults({}),
  )

/** Puts both files into one, and deletes them, as somebody does who keeps a replica small. */
async function compact(): Promise<void> {
  await replica.writeLtxFile(1, 1n, 2n, await ltx(1n, 2n, { timestamp: 2000n }))
  await replica.deleteLtxFiles([1n, 2n].map((txid) => ({ level: 0, minTxid: txid, maxTxid: txid })))
}

describe('a file that is compacted away after it was listed', () => {
  it.each([1, 2, 3, 4])(
    'is replaced by the compacted file, if it vanishes at look %i',
    async (look) => {
      storage.before = async () => {
        if (storage.opened === look) await compact()
      }
      const { from, files } = await restored()
      expect(from).toEqual({ format: 'ltx', txid: 2n })
      expect(files).toBe(1)
      expect(readdirSync(directory.path).toSorted()).toEqual(['app.db', 'replica'])
    },
  )

  it('is looked for again at most five times', async () => {
    storage.before = async (path) => {
      throw new ReplicaError('ENOENT', `${path} is gone`, { path })
    }
    await expect(restored()).rejects.toMatchObject({ code: 'ENOENT' })
    // Each time, the headers of both files are read at once.
    expect(storage.opened).toBe(10)
    expect(readdirSync(directory.path)).toEqual(['replica'])
  })

  it('is looked for again only below the replica', async () => {
    storage.before = async () => {
      throw new ReplicaError('ENOENT', 'gone', { path: directory.file('elsewhere') })
    }
    await expect(restored()).rejects.toMatchObject({ code: 'ENOENT' })
    expect(storage.opened).toBe(2)
    storage.before = async () => {
      throw new ReplicaError('ENOENT', 'gone')
    }
    await expect(restored()).rejects.toMatchObject({ code: 'ENOENT' })
    expect(storage.opened).toBe(4)
  })

  it('is not confused with a file that cannot be read', async () => {
    storage.before = async (path) => {
      throw new ReplicaError('ERR_REPLICA_IO', 'made to fail', { path })
    }
    await expect(restored()).rejects.toMatchObject({ code: 'ERR_REPLICA_IO' })
    expect(storage.opened).toBe(2)
  })
})

describe('a restore with a signal', () => {
  const reason = new Error('enough')

  it('that is already aborted reads nothing', async () => {
    await expect(restored({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect([storage.opened, readdirSync(directory.path)]).toEqual([0, ['replica']])
  })

  it.each(['restoring', 'syncing', 'checking'])(
    'that is aborted while it is %s leaves nothing',
    async (phase) => {
      const abort = new AbortController()
      const options = {
        signal: abort.signal,
        onProgress: (progress: { phase: string }) => {
          if (progress.phase === phase) abort.abort(reason)
        },
      }
      await expect(restored(options)).rejects.toBe(reason)
      expect(readdirSync(directory.path)).toEqual(['replica'])
    },
  )
})

it.each<[string, Partial<RestoreOptions>]>([
  ['a transaction and a generation', { txid: 1n, generation: '0123456789abcdef' }],
  ['a transaction and an index', { txid: 1n, index: 0 }],
  ['a transaction and a time', { txid: 1n, time: 1 }],
  ['a transaction of a generation', { txid: 1n, format: 'generation' }],
  ['a generation of LTX files', { format: 'ltx', generation: '0123456789abcdef' }],
  ['an index of LTX files', { format: 'ltx', index: 0 }],
  ['half an index', { index: 0.5 }],
  ['an index that is too large', { index: 2 ** 53 }],
  ['transaction 0', { txid: 0n }],
  ['no output', { output: '' }],
])('a restore with %s is refused before anything is looked at', async (_, options) => {
  await expect(restored(options)).rejects.toMatchObject({ code: 'ERR_REPLICA_OPTION' })
  expect([storage.opened, readdirSync(directory.path)]).toEqual([0, ['replica']])
})

it.each<[string, Partial<RestoreOptions>]>([
  ['the first transaction', { txid: 1n }],
  ['a time', { time: 1000 }],
  ['LTX files', { format: 'ltx' }],
])('a restore with %s is none of these', async (_, options) => {
  expect(await restored(options)).toMatchObject({ from: { format: 'ltx' } })
})
