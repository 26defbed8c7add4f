// @vitest-environment-options { "alone": "windows" }
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import { tryAcquire } from '@howdah/lock'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Store, type ListedEntry } from '../src/index.ts'
import { caught } from './support/caught.ts'

/** An action of another process, run just before a call of this process. */
const seen = vi.hoisted(() => ({
  before: (_call: string, _path: string): void => undefined,
  /** By how many bytes an open file seems to be longer than it is: it becomes shorter before it is read. */
  longer: 0,
}))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const watched =
    <Words extends [unknown, ...unknown[]], Result>(
      call: string,
      run: (...words: Words) => Result,
    ) =>
    (...words: Words): Result => {
      seen.before(call, String(words[0]))
      return run(...words)
    }
  return {
    ...real,
    mkdirSync: watched('make', real.mkdirSync as (path: string, mode?: number) => void),
    readdirSync: watched('list', real.readdirSync as (path: string, options?: object) => unknown),
    rmdirSync: watched('remove', real.rmdirSync),
    unlinkSync: watched('unlink', real.unlinkSync),
    fstatSync: ((...words: Parameters<typeof real.fstatSync>) => {
      const stats = real.fstatSync(...words)
      return seen.longer === 0
        ? stats
        : Object.assign(stats, { size: Number(stats.size) + seen.longer })
    }) as typeof real.fstatSync,
  }
})

let directory: TemporaryDirectory
let base: string
let store: Store

beforeEach(() => {
  seen.before = () => undefined
  directory = temporaryDirectory()
  base = directory.file('base')
  store = new Store(base, { durable: false })
})
afterEach(() => {
  seen.before = () => undefined
  directory[Symbol.dispose]()
})

/** Runs an action before the next calls of this kind on a path, so many times. */
function before(call: string, path: string, action: () => void, times = 1): { left: number } {
  const state = { left: times }
  seen.before = (made, of) => {
    if (made !== call || of !== path || state.left === 0) return
    state.left--
    action()
  }
  return state
}

const segmentPath = (): string => directory.file('base', '7')
const removeBase = (): void => rmSync(base, { recursive: true })
const failure = (code: string): Error =>
  Object.assign(new Error(`${code}: made to fail`), { code, syscall: 'rmdir' })

describe('a store that is removed while a segment is made', () => {
  test.each([1, 4])('is made anew, up to %i times', async (times) => {
    const state = before('make', segmentPath(), removeBase, times)
    const segment = await store.segment(7)
    expect([segment.identity, state.left, existsSync(segmentPath())]).toEqual([7, 0, true])
  })

  test('again and again is an error in the end, and holds nothing', async () => {
    const state = before('make', segmentPath(), removeBase, 100)
    const error = await caught(() => store.segment(7))
    expect(error).toMatchObject({ code: 'ERR_STORE_IO', step: 'create store segment 7' })
    expect(100 - state.left).toBe(5)
    seen.before = () => undefined
    expect((await store.segment(7)).identity).toBe(7)
  })

  test('and cannot be made again is reported at once', async () => {
    const state = before(
      'make',
      segmentPath(),
      () => {
        throw failure('EIO')
      },
      100,
    )
    expect((await caught(() => store.segment(7))).code).toBe('ERR_STORE_IO')
    expect(100 - state.left).toBe(1)
    seen.before = () => undefined
    using lock = await tryAcquire(directory.file('base', 'lock'))
    expect(lock?.held).toBe(true)
  })
})

describe('a segment that cannot be made', () => {
  test('is an error for all callers, and is made for the next caller', async () => {
    mkdirSync(base)
    writeFileSync(segmentPath(), 'in the way')
    const asking = [store.segment(7), store.segment(7), store.segment(7)]
    const outcomes = await Promise.allSettled(asking)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    rmSync(segmentPath())
    expect((await store.segment(7)).identity).toBe(7)
  })

  test('within the timeout of one caller is made for callers with more time', async () => {
    mkdirSync(base)
    const big = await tryAcquire(directory.file('base', 'lock'))
    const hasty = caught(() => store.segment(7, { timeout: 5 }))
    const patient = store.segment(7)
    expect((await hasty).code).toBe('ERR_STORE_LOCK_TIMEOUT')
    big?.release()
    expect((await patient).identity).toBe(7)
  })
})

describe('discarding a segment', () => {
  beforeEach(async () => {
    await store.segment(7)
  })

  test('in which something is made at the last instant leaves it', async () => {
    before('remove', segmentPath(), () => writeFileSync(`${segmentPath()}/new`, ''))
    expect(await store.discard(7)).toBe(false)
    expect(readdirSync(segmentPath())).toEqual(['new'])
  })

  test.each(['list', 'remove'])('that somebody removes before the %s', async (call) => {
    before(call, segmentPath(), () => rmSync(segmentPath(), { recursive: true }))
    expect(await store.discard(7)).toBe(false)
  })

  test.each([
    ['EEXIST', false],
    ['ENOTEMPTY', false],
    ['ENOENT', false],
  ])('is not done if the system says %s', async (code, outcome) => {
    before('remove', segmentPath(), () => {
      throw failure(code)
    })
    expect(await store.discard(7)).toBe(outcome)
  })

  test.each(['EBUSY', 'EACCES', 'EIO'])(
    'that the system refuses with %s is an error',
    async (code) => {
      before('remove', segmentPath(), () => {
        throw failure(code)
      })
      expect(await caught(() => store.discard(7))).toMatchObject({
        code: 'ERR_STORE_IO',
        step: 'discard store segment 7',
        path: segmentPath(),
      })
      // No lock is held.
      for (const name of ['lock', '7/lock']) {
        using lock = await tryAcquire(directory.file('base', name), { create: true })
        expect(lock?.held).toBe(true)
      }
    },
  )
})

describe('a listing of segments', () => {
  test('of a store that is removed after its lock was taken is empty', async () => {
    await store.segment(7)
    before('list', base, removeBase)
    expect(await store.segments()).toEqual([])
  })

  test('that the system refuses is an error', async () => {
    await store.segment(7)
    before('list', base, () => {
      throw failure('EIO')
    })
    const error = await caught(() => store.segments())
    expect(error).toMatchObject({ code: 'ERR_STORE_IO', path: base })
    expect(await store.segments()).toHaveLength(1)
  })

  test('ends with the reason of the signal', async () => {
    await store.segment(7)
    const reason = new Error('enough')
    const listing = async (): Promise<unknown> =>
      store.segments({ signal: AbortSignal.abort(reason) })
    await expect(listing()).rejects.toBe(reason)
    const all = async (): Promise<ListedEntry<unknown>[]> => {
      const entries: ListedEntry<unknown>[] = []
      for await (const entry of store.all({ signal: AbortSignal.abort(reason) }))
        entries.push(entry)
      return entries
    }
    await expect(all()).rejects.toBe(reason)
  })
})

test('a listing of entries ends with the reason of the signal while it waits for a segment', async () => {
  await store.segment(7)
  using lock = await tryAcquire(`${segmentPath()}/lock`)
  const controller = new AbortController()
  const reason = new Error('enough')
  const { signal } = controller
  const listing = store.all({ signal, onWait: () => controller.abort(reason) })
  await expect(listing.next()).rejects.toBe(reason)
  expect(lock?.held).toBe(true)
})

test('an entry that becomes shorter before it is read is read to its end', async () => {
  const entry = await (await store.segment(7)).save({ n: 1 })
  seen.longer = 10
  try {
    expect((await entry.load()).state).toEqual({ n: 1 })
  } finally {
    seen.longer = 0
  }
})

describe('a segment that somebody removed', () => {
  test('is made again by a caller that locks it, and has no entries for a caller that only reads', async () => {
    const segment = await store.segment(7)
    rmSync(segmentPath(), { recursive: true })
    const entries: unknown[] = []
    for await (const entry of segment.all()) entries.push(entry)
    expect([entries, existsSync(segmentPath())]).toEqual([[], false])
    expect(await segment.count()).toBe(0)
    expect(existsSync(segmentPath())).toBe(true)
  })
})

test('a leftover that cannot be removed is an error, and the segment is unlocked again', async () => {
  const segment = await store.segment(7)
  const leftover = `${segmentPath()}/.left.tmp`
  writeFileSync(leftover, 'half')
  before('unlink', leftover, () => {
    throw failure('EIO')
  })
  expect(await caught(() => segment.reap())).toMatchObject({
    code: 'ERR_STORE_IO',
    step: 'reap store segment 7',
  })
  expect(await segment.reap({ timeout: 0 })).toEqual([])
  expect(existsSync(leftover)).toBe(false)
})

test('a locked segment is for `await using`', async () => {
  const segment = await store.segment(7)
  {
    await using locked = await segment.lock()
    expect(locked.held).toBe(true)
    using other = await tryAcquire(`${segmentPath()}/lock`)
    expect(other).toBeNull()
  }
  using lock = await tryAcquire(`${segmentPath()}/lock`)
  expect(lock?.held).toBe(true)
})
