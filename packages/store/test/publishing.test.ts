// @vitest-environment-options { "alone": "publishing" }
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename } from 'node:path'
import type * as Durable from '@howdah/durable'
import { temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { EntryId, LockedDocument, Store } from '../src/index.ts'
import { caught } from './support/caught.ts'

type Publish = typeof Durable.publishFile

/** The published files, in order, and a function that runs when a file is complete but does not have its name yet. */
const seen = vi.hoisted(() => ({
  steps: [] as string[],
  whenComplete: async (_path: string): Promise<void> => undefined,
}))

vi.mock('@howdah/durable', async (original) => {
  const real = await original<typeof Durable>()
  const publishFile: Publish = async (path, content, options = {}) => {
    const name = basename(path)
    seen.steps.push(`write ${name}${options.durable === false ? '' : ' to disk'}`)
    await real.publishFile(path, content, {
      ...options,
      check: async () => {
        await seen.whenComplete(path)
        await options.check?.()
      },
    })
    seen.steps.push(`${name} is there`)
  }
  return { ...real, publishFile }
})

beforeEach(() => {
  seen.steps = []
  seen.whenComplete = async () => undefined
})

describe('a document', () => {
  const open = (path: string, durable?: boolean) =>
    new LockedDocument(path, {
      empty: () => ({ n: 0 }),
      ...(durable !== undefined && { durable }),
    })

  test.each([
    ['unless told otherwise', undefined, ' to disk'],
    ['if that is asked for', true, ' to disk'],
    ['not if it need not be', false, ''],
  ])('is on disk, %s, and appears after its last good version', async (_, durable, toDisk) => {
    using directory = temporaryDirectory()
    await open(directory.file('it'), durable).update((value) => ++value.n)
    expect(seen.steps).toEqual([
      `write it${toDisk}`,
      // A power failure may damage the good version, because the document is still there then.
      'write it.good',
      'it.good is there',
      'it is there',
    ])
  })

  test('whose good version cannot be written stays as it was', async () => {
    using directory = temporaryDirectory()
    const document = open(directory.file('it'))
    await document.update((value) => ++value.n)
    seen.whenComplete = async (path) => {
      if (path.endsWith('.good')) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    const error = await caught(() => document.update((value) => ++value.n))
    expect(error.code).toBe('ERR_STORE_IO')
    expect(await document.read()).toEqual({ n: 1 })
    expect(JSON.parse(readFileSync(directory.file('it.good'), 'utf8'))).toEqual({ n: 1 })
  })

  test('that is damaged again is kept again, and replaces the earlier damaged file', async () => {
    using directory = temporaryDirectory()
    const document = open(directory.file('it'))
    await document.update((value) => ++value.n)
    for (const damage of ['one', 'other']) {
      writeFileSync(document.path, damage)
      expect(await document.recover()).toMatchObject({ outcome: 'recovered' })
      expect(readFileSync(directory.file('it.damaged'), 'utf8')).toBe(damage)
    }
  })
})

describe('an entry', () => {
  test.each([
    [{}, {}, ' to disk'],
    [{ durable: false }, {}, ''],
    [{ durable: false }, { durable: true }, ' to disk'],
    [{ durable: true }, { durable: false }, ''],
  ])('of a store that is %j, saved with %j, is written%s', async (ofStore, ofEntry, toDisk) => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, ofStore).segment(7)
    const { name } = await segment.save({}, ofEntry)
    expect(seen.steps).toEqual([`write ${name}${toDisk}`, `${name} is there`])
  })

  test('does not appear in a segment that was made anew while it was written', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path).segment(7)
    using locked = await segment.lock()
    seen.whenComplete = async () => {
      const temporary = readdirSync(directory.file('7')).find((name) => name.endsWith('.tmp')) ?? ''
      const text = readFileSync(directory.file('7', temporary))
      rmSync(directory.file('7'), { recursive: true })
      mkdirSync(directory.file('7'))
      writeFileSync(directory.file('7', temporary), text)
    }
    expect((await caught(() => locked.save({}))).code).toBe('ERR_STORE_LOCK_LOST')
    expect(readdirSync(directory.file('7'))).toEqual([])
  })

  test('that is being saved is not removed by the same process as the left file of a killed one', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path).segment(7)
    using locked = await segment.lock()
    const left = directory.file('7', `.${EntryId.create().text}.tmp`)
    writeFileSync(left, 'half')
    seen.whenComplete = async () => {
      expect(await locked.reap()).toEqual([])
      expect(existsSync(left)).toBe(false)
    }
    const { name } = await locked.save({})
    expect(readdirSync(directory.file('7')).toSorted()).toEqual([name, 'lock'].toSorted())
  })

  test('is read without waiting for the other end of a FIFO, and without following a link', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path)
    const segment = await store.segment(7)
    await segment.save({})
    using elsewhere = temporaryDirectory()
    execFileSync('mkfifo', [directory.file('7', EntryId.create().text)])
    const { path } = await segment.save({})
    renameSync(path, elsewhere.file('entry'))
    symlinkSync(elsewhere.file('entry'), path)
    const found: unknown[] = []
    for await (const item of store.all()) found.push(item.error === null)
    expect(found.filter((isWhole) => isWhole)).toHaveLength(1)
    expect(found).toHaveLength(3)
    expect(await segment.reap()).toEqual([])
  })
})
