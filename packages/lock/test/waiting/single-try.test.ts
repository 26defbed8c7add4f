import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { killed, linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquire, acquireSync, tryAcquire } from '../../src/index.ts'
import { isQueued } from '../../src/waiting/queue.ts'

let directory: TemporaryDirectory
let path: string

beforeEach(() => {
  directory = temporaryDirectory()
  path = directory.file('lock')
})
afterEach(() => directory[Symbol.dispose]())

describe('a timeout of 0 is one try', () => {
  it.each(['acquire', 'acquireSync'] as const)(
    'that does not stand in line: %s takes a free lock although somebody has the gate',
    async (way) => {
      using gate = await acquire(`${path}.gate`, { fair: false })
      using lock = await { acquire, acquireSync }[way](path, { timeout: 0 })
      expect([gate.held, lock.held]).toEqual([true, true])
    },
  )

  it('that comes before the waiters of its thread', async () => {
    const reader = await acquire(path, { mode: 'shared', fair: false })
    const writer = acquire(path)
    expect(isQueued(path)).toBe(true)
    using second = await acquire(path, { mode: 'shared', timeout: 0 })
    expect(second.held).toBe(true)
    second.release()
    reader.release()
    ;(await writer).release()
    expect(isQueued(path)).toBe(false)
  })

  it('that fails without calling onWait, and leaves nothing held or queued', async () => {
    const held = await acquire(path)
    const waits: unknown[] = []
    const onWait = (found: unknown): void => void waits.push(found)
    const refused = expect.objectContaining({ code: 'ERR_LOCK_TIMEOUT', timeout: 0 })
    await expect(acquire(path, { timeout: 0, onWait })).rejects.toEqual(refused)
    expect(() => acquireSync(path, { timeout: 0, onWait, mode: 'shared' })).toThrow(refused)
    expect(waits).toEqual([])
    expect([isQueued(path), existsSync(`${path}.gate`)]).toEqual([false, false])
    held.release()
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })
})

describe('a signal that is aborted', () => {
  it.each(['acquire', 'acquireSync'] as const)('keeps %s from making anything', async (way) => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    const outcome = async (): Promise<unknown> => ({ acquire, acquireSync })[way](path, { signal })
    await expect(outcome()).rejects.toBe(reason)
    expect(readdirSync(directory.path)).toEqual([])
  })
})

describe('a gate is made', () => {
  it.each([
    ['by an upgrade', { fair: true }, true],
    ['by no upgrade of a lock that stands in no line', { fair: false }, false],
  ])('%s', async (_, options, made) => {
    using lock = await acquire(path, { ...options, mode: 'shared' })
    expect(lock.tryUpgrade()).toBe(true)
    expect(existsSync(`${path}.gate`)).toBe(made)
  })

  it('by no upgrade of a lock on a directory', async () => {
    mkdirSync(path)
    for (const way of [acquire, acquireSync]) {
      using lock = await way(path, { mode: 'shared' })
      expect(lock.tryUpgrade()).toBe(true)
    }
    expect(readdirSync(directory.path)).toEqual(['lock'])
  })

  it('by no upgrade of a lock that is already exclusive', async () => {
    using lock = await acquire(path)
    expect(lock.tryUpgrade()).toBe(true)
    await lock.upgrade()
    expect(lock.upgradeOrRelease()).toBe(true)
    expect(readdirSync(directory.path)).toEqual(['lock'])
  })
})

it(
  'an upgrade is not refused because the table of the kernel changes while it is read',
  linuxOnly('/proc/locks'),
  async () => {
    const churn = `
    import { tryAcquire } from ${JSON.stringify(import.meta.resolve('../../dist/index.js'))}
    const held = []
    for (let n = 0; n < 1_000_000; n += 1) {
      held.push(await tryAcquire(process.argv[1] + '/' + process.pid + '-' + (n % 150)))
      if (held.length > 100) held.shift()?.release()
      if (n === 200) console.log('churning')
    }
  `
    const start = () =>
      spawn(process.execPath, ['--input-type=module', '--eval', churn, directory.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    using one = killed(start())
    using other = killed(start())
    await Promise.all([one, other].map(async ({ stdout }) => await once(stdout, 'data')))
    let refused = 0
    for (let round = 0; round < 400; round += 1) {
      using lock = await acquire(path, { mode: 'shared' })
      if (!lock.tryUpgrade()) refused += 1
    }
    expect(refused).toBe(0)
  },
)

describe('an upgrade that waits', () => {
  it('is refused with a signal that is aborted, and the lock stays shared', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    const reason = new Error('enough')
    await expect(lock.upgrade({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(lock).toMatchObject({ held: true, mode: 'shared' })
  })

  it('is refused with an invalid timeout', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    await expect(lock.upgrade({ timeout: -1 })).rejects.toMatchObject({ code: 'ERR_LOCK_OPTION' })
    expect(lock).toMatchObject({ held: true, mode: 'shared' })
  })

  it('says nothing about waiting if it does not have to', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    const waits: unknown[] = []
    await lock.upgrade({ onWait: (found) => void waits.push(found) })
    expect([lock.mode, waits]).toEqual(['exclusive', []])
  })

  it('names the holders that it waits for, and keeps the gate until it is over', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    const other = await acquire(path, { mode: 'shared' })
    const waits: unknown[] = []
    const upgraded = lock.upgrade({ onWait: (found) => void waits.push(found) })
    expect(waits).toEqual([
      { path, mode: 'exclusive', holders: expect.any(Array), over: expect.any(AbortSignal) },
    ])
    expect(await tryAcquire(`${path}.gate`)).toBeNull()
    other.release()
    await upgraded
    using gate = await tryAcquire(`${path}.gate`)
    expect([lock.mode, gate?.held]).toEqual(['exclusive', true])
  })

  it('passes a gate that is let go in time', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    const other = await acquire(path, { mode: 'shared' })
    const gate = await acquire(`${path}.gate`, { fair: false })
    const upgraded = lock.upgrade()
    gate.release()
    other.release()
    await upgraded
    expect(lock.mode).toBe('exclusive')
  })
})
