// @vitest-environment-options { "alone": "windows/publishing" }
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type * as Durable from '@howdah/durable'
import { temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { DataDirLock, lockedFile, tryAcquire } from '../../src/index.ts'

/** The syncs, in their order, and a function that a test runs just before a sync. */
const seen = vi.hoisted(() => ({
  steps: [] as string[],
  before: async (_step: string): Promise<void> => undefined,
}))

vi.mock('@howdah/durable', async (original) => {
  const real = await original<typeof Durable>()
  const step = async (name: string): Promise<void> => {
    seen.steps.push(name)
    await seen.before(name)
  }
  return {
    ...real,
    syncFile: async (fd: number) => {
      const staged = basename(readlinkSync(`/proc/self/fd/${fd}`)).replace(/[0-9a-f]{16}/, 'RANDOM')
      await step(`sync ${staged}: ${readFileSync(`/proc/self/fd/${fd}`, 'utf8')}`)
      await real.syncFile(fd)
    },
    syncDirectory: async (path: string) => {
      await step('sync the directory')
      await real.syncDirectory(path)
    },
    publishFile: async (path: string, content: string, options: Durable.Publishing) => {
      await step(`publish ${basename(path)}${options.durable === false ? '' : ' to disk'}`)
      await real.publishFile(path, content, options)
    },
  }
})

beforeEach(({ skip }) => {
  skip(process.platform !== 'linux', 'only Linux tells the name of an open file')
  seen.steps = []
  seen.before = async () => undefined
})

const failure = Object.assign(new Error('EIO'), { code: 'EIO' })

describe('new content of a locked file', () => {
  it('is complete and on disk before it has its name, and then its name is on disk', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await lockedFile.write(path, 'old', { durable: false })
    expect(seen.steps).toEqual([])
    const contents: string[] = []
    seen.before = async () => void contents.push(readFileSync(path, 'utf8'))
    await lockedFile.write(path, 'new')
    expect(seen.steps).toEqual(['sync .file.RANDOM.tmp: new', 'sync the directory'])
    expect(contents).toEqual(['old', 'new'])
  })

  it('that cannot be synced leaves the old content, and nothing beside it', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await lockedFile.write(path, 'old', { durable: false })
    seen.before = async () => {
      throw failure
    }
    await expect(lockedFile.write(path, 'new')).rejects.toMatchObject({
      code: 'ERR_LOCK_IO',
      path,
      cause: failure,
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(directory.path)).toEqual(['file'])
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('is there although the directory cannot be synced, and the error says so', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    seen.before = async (step) => {
      if (step === 'sync the directory') throw failure
    }
    await expect(lockedFile.write(path, 'new')).rejects.toMatchObject({ cause: failure, path })
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(readdirSync(directory.path)).toEqual(['file'])
  })

  it('is given up, with the old content in place, if the lock is released meanwhile', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await lockedFile.write(path, 'old', { durable: false })
    const file = await lockedFile.edit(path)
    seen.before = async () => file.release()
    await expect(file.write('new')).rejects.toMatchObject({ code: 'ERR_LOCK_RELEASED' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(directory.path)).toEqual(['file'])
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('stays, and is free, if the lock is released after it has its name', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    const file = await lockedFile.edit(path)
    seen.before = async (step) => {
      if (step === 'sync the directory') file.release()
    }
    await file.write('new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })
})

describe('a data-directory lock', () => {
  it.each([
    [undefined, ' to disk'],
    [false, ''],
  ])('says who has it before the pidfile does, with durable: %s', async (durable, toDisk) => {
    using directory = temporaryDirectory()
    const identities: unknown[] = []
    seen.before = async () => {
      const said = readFileSync(directory.file('.howdah.lock'), 'utf8')
      identities.push(JSON.parse(said).pid)
    }
    using lock = await DataDirLock.acquire(directory.path, { durable })
    expect(lock.held).toBe(true)
    expect(seen.steps).toEqual([`publish .howdah.pidfile${toDisk}`])
    expect(identities).toEqual([process.pid])
  })
})
