// @vitest-environment-options { "alone": "waiting/kernel-wait-looks" }
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, flockBinding } from '../../src/index.ts'

const noQueue =
  process.platform !== 'linux' || flockBinding().name !== 'native'
    ? 'only our own binding waits in the kernel, and only Linux tells who waits'
    : null

const watching = vi.hoisted(() => ({ refused: false, open: new Set<object>() }))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const watch = (path: string, listener: () => void): FileSystem.FSWatcher => {
    if (watching.refused) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    const watcher = real.watch(path, listener)
    watching.open.add(watcher)
    const close = watcher.close.bind(watcher)
    watcher.close = () => {
      watching.open.delete(watcher)
      close()
    }
    return watcher
  }
  return { ...real, watch }
})

let directory: TemporaryDirectory
let path: string

beforeEach(({ skip }) => {
  skip(noQueue !== null, noQueue ?? '')
  hand.inOneCall = true
  watching.refused = false
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  directory = temporaryDirectory()
  path = directory.file('lock')
})
afterEach(() => {
  // The next look finds nobody, and then none is planned for the next test.
  vi.runOnlyPendingTimers()
  vi.useRealTimers()
  directory[Symbol.dispose]()
})

const watchers = (): number => watching.open.size

/** Runs looks, which are due every half second. */
function look(times = 1): void {
  for (let time = 0; time < times; time++) vi.advanceTimersByTime(500)
}

describe('a wait that takes long', () => {
  it('is watched from the second look on, once, until it is over', async () => {
    const held = await acquire(path)
    let waits = 0
    hand.wait = (fd, name, operation, fair, ended, wait) => {
      waits++
      return wait(fd, name, operation, fair, ended)
    }
    const waiting = acquire(path)
    const seen = [watchers()]
    for (let time = 0; time < 4; time++) {
      look()
      seen.push(watchers())
    }
    expect(seen).toEqual([0, 0, 1, 1, 1])
    // A wait that was called off would begin again by now.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    held.release()
    using lock = await waiting
    // It has kept its place in the queue.
    expect([lock.held, watchers(), waits]).toEqual([true, 0, 1])
  })

  it('is no longer looked at when it is watched, but another wait is', async () => {
    const helds = [await acquire(path), await acquire(directory.file('other'))]
    const waits = [acquire(path)]
    expect(vi.getTimerCount()).toBe(1)
    look(2)
    expect([vi.getTimerCount(), watchers()]).toEqual([0, 1])
    waits.push(acquire(directory.file('other')))
    expect(vi.getTimerCount()).toBe(1)
    look()
    expect([vi.getTimerCount(), watchers()]).toEqual([1, 1])
    look()
    expect([vi.getTimerCount(), watchers()]).toEqual([0, 2])
    for (const held of helds) held.release()
    for (const wait of waits) (await wait).release()
    expect(watchers()).toBe(0)
  })

  it('is looked at together with all others', async () => {
    const paths = ['one', 'two', 'three'].map((name) => directory.file(name))
    const helds = await Promise.all(paths.map((each) => acquire(each)))
    const waits = paths.map((each) => acquire(each))
    expect(vi.getTimerCount()).toBe(1)
    look(2)
    expect([vi.getTimerCount(), watchers()]).toEqual([0, 3])
    for (const held of helds) held.release()
    for (const wait of waits) (await wait).release()
  })

  it('goes on with another file that is there at the second look', async () => {
    using held = await acquire(path)
    const waiting = acquire(path)
    look()
    renameSync(path, directory.file('elsewhere'))
    writeFileSync(path, '')
    look()
    using lock = await waiting
    expect([held.isCurrent(), lock.isCurrent()]).toEqual([false, true])
  })

  it('goes on with another file that comes while it is watched', async () => {
    using held = await acquire(path)
    const waiting = acquire(path)
    look(2)
    renameSync(path, directory.file('elsewhere'))
    using lock = await waiting
    expect([held.isCurrent(), lock.isCurrent()]).toEqual([false, true])
  })

  it('for a directory is not watched, because every change in it would wake the watcher', async () => {
    const data = directory.file('data')
    mkdirSync(data)
    const held = await acquire(data)
    const waiting = acquire(data)
    look(3)
    expect([watchers(), vi.getTimerCount()]).toEqual([0, 0])
    held.release()
    using lock = await waiting
    expect(lock.held).toBe(true)
  })

  it('is not watched if nothing more can be watched, and ends all the same', async () => {
    watching.refused = true
    const held = await acquire(path)
    const waiting = acquire(path)
    look(2)
    expect(watchers()).toBe(0)
    held.release()
    using lock = await waiting
    expect(lock.held).toBe(true)
  })
})
