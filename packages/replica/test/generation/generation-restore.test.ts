import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileReplica, type RestoreOptions, type RestoreProgress } from '../../src/index.ts'
import {
  emptyDatabase,
  generation,
  segmentName,
  snapshotName,
  walOf,
  writeOldFile,
  type Frame,
} from '../support/old-files.ts'

let directory: TemporaryDirectory
let replica: FileReplica
let output: string

beforeEach(() => {
  directory = temporaryDirectory()
  replica = new FileReplica(directory.file('replica'))
  output = directory.file('app.db')
})
afterEach(() => directory[Symbol.dispose]())

/** The time of the file with this number, in ms since 1970. */
const at = (number: number): number => 1_700_000_000_000 + number * 1000

/** A page that is filled with a letter. */
const filled = (letter: string, pageSize = 512): Buffer => Buffer.alloc(pageSize, letter)
const frame = (page: number, letter: string, commit = 0, pageSize = 512): Frame => {
  return { page, data: filled(letter, pageSize), commit }
}

/** A database whose first page says the page size, and whose further pages are filled with letters. */
const database = (text: string, pageSize = 512): Buffer =>
  Buffer.concat([emptyDatabase(1, pageSize), ...Array.from(text, (one) => filled(one, pageSize))])

const put = (name: string, data: Buffer, number: number): string =>
  writeOldFile(replica.path, name, data, at(number))

async function restore(options: Partial<RestoreOptions> = {}) {
  return await replica.restore({ output, integrityCheck: 'none', ...options })
}

/** The letters that the restored pages after the first one are filled with. */
function letters(pageSize = 512): string {
  const bytes = readFileSync(output)
  expect(bytes.length % pageSize).toBe(0)
  let text = ''
  for (let page = pageSize; page < bytes.length; page += pageSize) {
    const data = bytes.subarray(page, page + pageSize)
    expect(data.equals(Buffer.alloc(pageSize, data.subarray(0, 1)))).toBe(true)
    text += data.toString('latin1', 0, 1)
  }
  return text
}

describe('a generation of litestream 0.3 is restored', () => {
  it('up to the last complete transaction, with nothing of what follows', async () => {
    put(snapshotName(0), database('s'), 1)
    const { bytes, ends } = walOf([
      frame(2, 'a', 2),
      frame(3, 'b'),
      frame(4, 'c', 4),
      frame(2, 'x'),
      frame(5, 'y'),
    ])
    put(segmentName(0, 0), bytes, 2)
    expect(await restore()).toMatchObject({
      path: output,
      from: { format: 'generation', generation, index: 0, offset: ends[2] },
      timestamp: new Date(at(2)),
      pageSize: 512,
      pages: 4,
      bytes: 4 * 512,
      files: 2,
    })
    expect(letters()).toBe('abc')
  })

  it('as small as a transaction made it', async () => {
    put(snapshotName(0), database('stuv'), 1)
    put(segmentName(0, 0), walOf([frame(5, 'a', 5), frame(2, 'b', 3)]).bytes, 2)
    expect(await restore()).toMatchObject({ pages: 3, bytes: 3 * 512 })
    expect(letters()).toBe('bt')
  })

  it('from several WALs, in segments, the last of which ends no transaction', async () => {
    put(snapshotName(3), database('s'), 1)
    const first = walOf([frame(2, 'a', 2), frame(3, 'b', 3)])
    put(segmentName(3, 0), first.bytes.subarray(0, first.ends[0]), 2)
    put(segmentName(3, first.ends[0] ?? 0), first.bytes.subarray(first.ends[0]), 3)
    const second = walOf([frame(2, 'c', 3)])
    put(segmentName(4, 0), second.bytes, 4)
    put(segmentName(5, 0), walOf([frame(2, 'x'), frame(9, 'y')]).bytes, 5)
    expect(await restore()).toMatchObject({
      from: { index: 4, offset: second.ends[0] },
      timestamp: new Date(at(5)),
      pages: 3,
      files: 5,
    })
    expect(letters()).toBe('cb')
  })

  it('from its snapshot alone, by its index', async () => {
    put(snapshotName(0), database('st'), 1)
    expect(await restore({ index: 0 })).toMatchObject({
      from: { format: 'generation', index: 0, offset: 0 },
      timestamp: new Date(at(1)),
      pages: 3,
      files: 1,
    })
    expect(letters()).toBe('st')
  })

  it('from the snapshot of an empty database, whose page size its WAL tells', async () => {
    put(snapshotName(0), Buffer.alloc(0), 1)
    const data = emptyDatabase(1, 1024)
    const { bytes } = walOf([{ page: 1, data, commit: 0 }, frame(2, 'a', 2, 1024)], 1024)
    put(segmentName(0, 0), bytes, 2)
    expect(await restore()).toMatchObject({ pageSize: 1024, pages: 2 })
    expect(letters(1024)).toBe('a')
  })

  it('as empty, if no transaction was ever complete', async () => {
    put(snapshotName(0), Buffer.alloc(0), 1)
    put(segmentName(0, 0), walOf([frame(1, 'x')]).bytes, 2)
    expect(await restore()).toMatchObject({
      from: { index: 0, offset: 0 },
      pageSize: 0,
      pages: 0,
      bytes: 0,
    })
    expect(readFileSync(output)).toHaveLength(0)
  })

  it.each([512, 65_536])('with pages of %i bytes', async (pageSize) => {
    put(snapshotName(0), database('s', pageSize), 1)
    put(segmentName(0, 0), walOf([frame(2, 'a', 2, pageSize)], pageSize).bytes, 2)
    expect(await restore()).toMatchObject({ pageSize, pages: 2, bytes: 2 * pageSize })
    expect(letters(pageSize)).toBe('a')
  })

  it('with a progress that names each file, and ends with all files and bytes', async () => {
    const snapshot = put(snapshotName(0), database('s'), 1)
    const segment = put(segmentName(0, 0), walOf([frame(2, 'a', 2)]).bytes, 2)
    const seen: RestoreProgress[] = []
    await restore({ onProgress: (progress) => void seen.push(progress) })
    const files = seen.filter(({ phase }) => phase === 'restoring').map(({ file }) => file)
    expect([...new Set(files)]).toEqual([snapshot, segment])
    const last = seen.at(-1)
    expect(last).toMatchObject({ phase: 'checking', files: 3, totalFiles: 3 })
    // The snapshot is read once, and the WAL twice.
    const sizeOf = (path: string): number => readFileSync(path).length
    expect(last?.totalBytes).toBe(sizeOf(snapshot) + 2 * sizeOf(segment))
    expect([last?.bytes, last?.bytesWritten]).toEqual([last?.totalBytes, 3 * 512])
  })
})

describe('a generation of litestream 0.3 is refused, by the path of the file,', () => {
  it.each([
    ['shorter than the header of a database', Buffer.alloc(17, 1)],
    ['of a page size that is none', database('s').fill(1, 16, 18)],
    ['of pages of 0 bytes', database('s').fill(0, 16, 18)],
    ['of a part of a page', database('s').subarray(0, -1)],
  ])('if its snapshot is %s', async (_, data) => {
    const path = put(snapshotName(0), data, 1)
    await expect(restore()).rejects.toMatchObject({ code: 'ERR_REPLICA_DAMAGED', path })
    expect(readdirSync(directory.path)).toEqual(['replica'])
  })

  it('if its WAL has other pages than the database', async () => {
    put(snapshotName(0), database('s'), 1)
    const path = put(segmentName(0, 0), walOf([frame(2, 'a', 2, 1024)], 1024).bytes, 2)
    await expect(restore()).rejects.toMatchObject({ code: 'ERR_REPLICA_MISMATCH', path })
  })

  it('if the segments of a WAL do not adjoin', async () => {
    put(snapshotName(0), database('s'), 1)
    const { bytes, ends } = walOf([frame(2, 'a', 2), frame(3, 'b', 3)])
    put(segmentName(0, 0), bytes.subarray(0, ends[0]), 2)
    const path = put(segmentName(0, (ends[0] ?? 0) + 1), bytes.subarray(ends[0]), 3)
    await expect(restore()).rejects.toMatchObject({ code: 'ERR_REPLICA_GAP', path })
  })
})

describe('no file stays open', linuxOnly('/proc/self/fd'), () => {
  /** How many files below the directory this process has open. */
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory.path)
      } catch {
        return false
      }
    }).length

  it('after a restore, nor after one that was refused', async () => {
    put(snapshotName(0), database('s'), 1)
    const segment = put(segmentName(0, 0), walOf([frame(2, 'a', 2)]).bytes, 2)
    await restore()
    expect(open()).toBe(0)
    writeFileSync(segment, readFileSync(segment).fill(0, 20, 24))
    await expect(restore({ output: `${output}2` })).rejects.toMatchObject({ path: segment })
    expect(open()).toBe(0)
  })
})
