import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Patience } from '../../src/waiting/patience.ts'
import { Turn, isQueued, isQueuedByAnyName } from '../../src/waiting/queue.ts'
import { threadState } from '../../src/waiting/thread-state.ts'

const path = '/nowhere/lock'

function patience(options: { timeout?: number; signal?: AbortSignal } = {}): Patience {
  const { timeout = 10_000, signal } = options
  return new Patience({ path, mode: 'exclusive', timeout, signal })
}

/** Takes places in the queue, and leaves them at the end. */
function turns(count: number, of = path): Turn[] & Disposable {
  const taken = Array.from({ length: count }, () => new Turn(of))
  return Object.assign(taken, {
    [Symbol.dispose]: () => {
      for (const turn of taken.splice(0)) turn.leave()
    },
  })
}

/** Leaves the queue in the place of a list of turns. */
function leave(queue: Turn[], place: number): void {
  const [turn] = queue.splice(place, 1)
  turn?.leave()
}

describe('a turn', () => {
  it('has come only for the first in the queue', () => {
    using queue = turns(3)
    expect(queue.map(({ hasCome }) => hasCome)).toEqual([true, false, false])
    leave(queue, 0)
    expect(queue.map(({ hasCome }) => hasCome)).toEqual([true, false])
  })

  it('for another path has come, whoever waits for this path', () => {
    using queue = turns(1)
    using other = turns(1, '/nowhere/other')
    expect([queue[0]?.hasCome, other[0]?.hasCome]).toEqual([true, true])
  })

  it('comes when the one before leaves, in the order of the queue', async () => {
    using queue = turns(3)
    const came: number[] = []
    const waits = queue.map(async (turn, place) => {
      await turn.comes(patience())
      came.push(place)
    })
    const third = waits[2]
    await waits[0]
    expect(came).toEqual([0])
    leave(queue, 0)
    await waits[1]
    expect(came).toEqual([0, 1])
    leave(queue, 0)
    await third
    expect(came).toEqual([0, 1, 2])
  })

  it('does not come by a stray call: it checks that it is the first', async () => {
    using queue = turns(2)
    let has = false
    const waiting = queue[1]?.comes(patience()).then(() => (has = true))
    queue[1]?.start()
    await new Promise(setImmediate)
    expect(has).toBe(false)
    leave(queue, 0)
    await waiting
    expect(has).toBe(true)
  })

  it('does not come for a waiter that gave up, but for the next one', async () => {
    using queue = turns(3)
    const reason = new Error('enough')
    const abort = new AbortController()
    const givenUp = queue[1]?.comes(patience({ signal: abort.signal }))
    const next = queue[2]?.comes(patience())
    abort.abort(reason)
    await expect(givenUp).rejects.toBe(reason)
    leave(queue, 1)
    expect(queue[1]?.hasCome).toBe(false)
    leave(queue, 0)
    await next
    expect(queue[0]?.hasCome).toBe(true)
  })

  it('is waited for until the patience is over', async () => {
    using queue = turns(2)
    await expect(queue[1]?.comes(patience({ timeout: 1 }))).rejects.toMatchObject({
      code: 'ERR_LOCK_TIMEOUT',
    })
    expect(queue[0]?.hasCome).toBe(true)
  })
})

describe('a queue', () => {
  it('is there while somebody is in it', () => {
    expect(isQueued(path)).toBe(false)
    const queue = turns(2)
    expect([isQueued(path), isQueued('/nowhere/other')]).toEqual([true, false])
    leave(queue, 0)
    expect(isQueued(path)).toBe(true)
    leave(queue, 0)
    expect(isQueued(path)).toBe(false)
    expect(threadState().queues.size).toBe(0)
  })

  it('is known by any name of its file', () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('alias'))
    writeFileSync(directory.file('real', 'lock'), '')
    expect(isQueuedByAnyName(directory.file('real', 'lock'))).toBe(false)
    using queue = turns(1, directory.file('real', 'lock'))
    const known = (...names: string[]): boolean => isQueuedByAnyName(directory.file(...names))
    expect(queue).toHaveLength(1)
    expect([known('real', 'lock'), known('alias', 'lock')]).toEqual([true, true])
    expect([known('real', 'other'), known('lock'), known('missing', 'lock')]).toEqual([
      false,
      false,
      false,
    ])
  })

  it('is known by any name of a file that does not exist yet', () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('alias'))
    using queue = turns(1, directory.file('real', 'lock'))
    expect(queue).toHaveLength(1)
    expect(isQueuedByAnyName(directory.file('alias', 'lock'))).toBe(true)
  })

  it('is known by any name of its directory', () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('alias'))
    using queue = turns(1, directory.file('real'))
    expect(queue).toHaveLength(1)
    expect(isQueuedByAnyName(directory.file('alias'))).toBe(true)
    expect(isQueuedByAnyName(directory.path)).toBe(false)
  })

  it('is found among others', () => {
    using directory = temporaryDirectory()
    using others = turns(1, directory.file('other'))
    using queue = turns(1, directory.file('lock'))
    expect([others.length, queue.length]).toEqual([1, 1])
    expect(isQueuedByAnyName(directory.file('lock'))).toBe(true)
  })

  it('for a path that leads nowhere is known only by that name', () => {
    using queue = turns(1)
    expect(queue).toHaveLength(1)
    expect([isQueuedByAnyName(path), isQueuedByAnyName('/nowhere/other')]).toEqual([true, false])
  })
})
