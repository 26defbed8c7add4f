import { existsSync } from 'node:fs'
import { acquire, tryAcquire } from '@howdah/lock'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Wait } from '@howdah/coordinate'
import { Waiting } from '../../src/joining/waiting.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Finds something at the look with this number. */
function finding(at: number): { look: () => Promise<string | null>; looks: () => number } {
  let looks = 0
  return {
    look: async () => (++looks === at ? 'found' : null),
    looks: () => looks,
  }
}

describe('all waits of an operation', () => {
  test('have one deadline together, or none', () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const waiting = new Waiting({ timeout: 50 })
    const endless = new Waiting({})
    expect([waiting.remaining, endless.remaining]).toEqual([50, undefined])
    clock.mockReturnValue(1_030)
    expect([waiting.remaining, endless.remaining]).toEqual([20, undefined])
    clock.mockReturnValue(2_000)
    expect([waiting.remaining, endless.remaining]).toEqual([0, undefined])
  })

  test('may take no time at all', () => {
    expect(new Waiting({ timeout: 0 }).remaining).toBe(0)
  })
})

describe('a wait for an event', () => {
  test('that has happened tells nothing', async () => {
    const onWait = vi.fn<(wait: Wait) => void>()
    const { look, looks } = finding(1)
    expect(await new Waiting({ timeout: 0, onWait }).until('use', '/use', 'it', look)).toBe('found')
    expect([looks(), onWait.mock.calls]).toEqual([1, []])
  })

  test('tells once what it waits for, however often it looks', async () => {
    const told: Wait[] = []
    const { look, looks } = finding(4)
    const waiting = new Waiting({ onWait: (wait) => told.push(wait) })
    expect(await waiting.until('process', '/record', 'the server to go', look)).toBe('found')
    expect(looks()).toBe(4)
    const over = expect.any(AbortSignal)
    expect(told).toEqual([
      { for: 'process', path: '/record', holders: [], what: 'the server to go', over },
    ])
  })

  test.each([
    ['happened', async (looks: number) => (looks < 3 ? null : 'found')],
    ['not happened in time', async () => null],
    [
      'become impossible',
      async (looks: number) => {
        if (looks === 3) throw new Error('gone')
        return null
      },
    ],
  ])('is over when the event has %s, and not before', async (_, look) => {
    const told: Wait[] = []
    const states: (boolean | undefined)[] = []
    let looks = 0
    const waiting = new Waiting({ timeout: 50, onWait: (wait) => told.push(wait) })
    const outcome = waiting.until('process', '/record', 'the server to go', async () => {
      states.push(told[0]?.over.aborted)
      return await look(++looks)
    })
    await Promise.allSettled([outcome])
    expect(states.slice(0, 3)).toEqual([undefined, false, false])
    expect(told.map(({ over }) => over.aborted)).toEqual([true])
  })

  test('looks once if there is no time, and then says what did not happen', async () => {
    const { look, looks } = finding(2)
    await expect(
      new Waiting({ timeout: 0 }).until('process', '/record', 'the server to go', look),
    ).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
      path: '/record',
      message: expect.stringContaining('the server to go'),
    })
    expect(looks()).toBe(1)
  })

  test('ends with the reason of the signal, unless the event has happened', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const { look, looks } = finding(2)
    await expect(new Waiting({ signal }).until('use', '/use', 'it', look)).rejects.toThrow('enough')
    expect(looks()).toBe(1)
    expect(await new Waiting({ signal }).until('use', '/use', 'it', look)).toBe('found')
  })
})

describe('a wait for a lock', () => {
  test('makes nothing beside it, and tells who has it', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('change')
    const held = await acquire(path, { fair: false })
    const told: Wait[] = []
    const lock = await new Waiting({
      onWait: (wait) => {
        told.push(wait)
        expect(wait.over.aborted).toBe(false)
        held.release()
      },
    }).lock({ for: 'change', path, mode: 'exclusive', create: false })
    expect([lock.held, lock.mode]).toEqual([true, 'exclusive'])
    expect(told).toMatchObject([{ for: 'change', path, over: { aborted: true } }])
    expect(existsSync(`${path}.gate`)).toBe(false)
    lock.release()
  })

  test.each([
    ['change', 'the change lock'],
    ['use', 'the use lock'],
  ] as const)('that takes too long names %s, and why', async (what, named) => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    await expect(
      new Waiting({ timeout: 0 }).lock({ for: what, path, mode: 'shared', create: false }),
    ).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
      path,
      message: expect.stringContaining(named),
      cause: { code: 'ERR_LOCK_TIMEOUT' },
    })
    expect(held.held).toBe(true)
  })

  test('makes the file only if that is wanted; another failure is said as it is', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const wanted = { for: 'use', path, mode: 'shared' } as const
    await expect(new Waiting({}).lock({ ...wanted, create: false })).rejects.toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
    })
    const made = await new Waiting({}).lock({ ...wanted, create: true })
    const other = await tryAcquire(path, { mode: 'shared' })
    expect([made.mode, other?.held]).toEqual(['shared', true])
    made.release()
    other?.release()
  })
})
