// @vitest-environment-options { "alone": "waiting/kernel-wait-ends" }
import { constants } from 'node:os'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, acquireSync, flockBinding, tryAcquire } from '../../src/index.ts'
import { kernelLocks } from '../../src/process/holder.ts'
import { threadState } from '../../src/waiting/thread-state.ts'

const noQueue =
  process.platform !== 'linux' || flockBinding().name !== 'native'
    ? 'only our own binding waits in the kernel, and only Linux tells who waits'
    : null

let directory: TemporaryDirectory
let path: string

beforeEach(({ skip }) => {
  skip(noQueue !== null, noQueue ?? '')
  hand.inOneCall = true
  directory = temporaryDirectory()
  path = directory.file('lock')
})
afterEach(() => {
  vi.useRealTimers()
  directory[Symbol.dispose]()
})

/** Whether this process has the lock, according to the kernel. */
const isGranted = (): boolean =>
  kernelLocks(path).some(({ pid, blocked }) => pid === process.pid && !blocked)

describe('a wait in the kernel that ends', () => {
  it.each(['EINTR', 'ESTALE'] as const)('with %s begins again', async (errno) => {
    const held = await acquire(path)
    let waits = 0
    const error = constants.errno[errno]
    hand.wait = (fd, name, operation, fair, ended, wait) => {
      waits++
      if (waits > 2) return wait(fd, name, operation, fair, ended)
      setImmediate(() => ended(error))
      if (waits === 2) held.release()
      return 1
    }
    using lock = await acquire(path)
    expect([waits >= 2, lock.held, lock.isCurrent()]).toEqual([true, true, true])
    expect(threadState().waits.size).toBe(0)
  })

  it.each<[string, (ended: (error: number) => void) => number]>([
    [
      'with another error',
      (ended) => {
        setImmediate(() => ended(constants.errno.EIO))
        return 1
      },
    ],
    ['before it begins', () => -constants.errno.EAGAIN],
  ])('%s goes on by looking again and again', async (_, end) => {
    const held = await acquire(path)
    let waits = 0
    hand.wait = (_fd, _path, _operation, _fair, ended) => {
      waits++
      return end(ended)
    }
    const waiting = acquire(path)
    await new Promise(setImmediate)
    held.release()
    using lock = await waiting
    expect([waits, lock.held]).toEqual([1, true])
    expect(threadState().waits.size).toBe(0)
    lock.release()
    // No descriptor that was opened meanwhile holds a lock.
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('when its signal is aborted no longer has the lock', async () => {
    const held = await acquire(path)
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = acquire(path, { signal: abort.signal })
    held.release()
    // The kernel has given it the lock, and the event loop has not told it yet.
    while (!isGranted());
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('because its signal is aborted does so at once, and the others wait on', async () => {
    const held = await acquire(path)
    const abort = new AbortController()
    const reason = new Error('enough')
    const waits = [acquire(path, { signal: abort.signal }), acquire(path)]
    abort.abort(reason)
    await expect(waits[0]).rejects.toBe(reason)
    expect(held.held).toBe(true)
    held.release()
    using lock = await waits[1]
    expect(lock?.held).toBe(true)
  })

  it('as its own thread locks and is blocked gives back what it got, and begins again', async () => {
    const held = await acquire(path)
    let has = false
    const waiting = acquire(path).then((lock) => {
      has = true
      return lock
    })
    held.release()
    while (!isGranted());
    using mine = acquireSync(path, { timeout: 10_000 })
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    expect([mine.held, has]).toEqual([true, false])
    mine.release()
    using lock = await waiting
    expect([lock.held, await tryAcquire(path)]).toEqual([true, null])
  })

  it('because its own thread is blocked is no other lock’s', async () => {
    const other = directory.file('other')
    const helds = [await acquire(path), await acquire(other)]
    const waits: string[] = []
    hand.wait = (fd, name, operation, fair, ended, wait) => {
      waits.push(name)
      return wait(fd, name, operation, fair, ended)
    }
    const waiting = [acquire(path), acquire(other)]
    helds[0]?.release()
    while (!isGranted());
    acquireSync(path, { timeout: 10_000 }).release()
    ;(await waiting[0])?.release()
    helds[1]?.release()
    ;(await waiting[1])?.release()
    expect(waits.filter((name) => name === other)).toHaveLength(1)
  })

  it('leaves no timer and no listener', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const add = vi.spyOn(signal, 'addEventListener')
    const held = await acquire(path)
    const waiting = acquire(path, { signal, timeout: 600_000 })
    const before = vi.getTimerCount()
    held.release()
    using lock = await waiting
    expect(lock.held).toBe(true)
    expect(vi.getTimerCount()).toBe(before - 1)
    expect(add).toHaveBeenCalled()
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length)
  })
})
