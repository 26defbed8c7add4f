import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquire, acquireSync, type Contention, lockedFile } from '../../src/index.ts'
import { Child } from '../support/child.ts'

let directory: TemporaryDirectory
let path: string
let told: Contention[]

/** Notes what is told, and that its wait is not over yet. */
const onWait = (wait: Contention): void => {
  expect(wait.over.aborted).toBe(false)
  told.push(wait)
}

beforeEach(() => {
  directory = temporaryDirectory()
  path = directory.file('lock')
  told = []
})
afterEach(() => directory[Symbol.dispose]())

describe('a wait that was told is over', () => {
  it('as soon as the lock is acquired, and not before', async () => {
    const held = await acquire(path)
    const waiting = acquire(path, { onWait })
    let ended = false
    told[0]?.over.addEventListener('abort', () => (ended = true))
    expect([told.length, ended]).toEqual([1, false])
    held.release()
    using _ = await waiting
    expect(ended).toBe(true)
  })

  it('if the lock is not acquired in time, or cannot be', async () => {
    using _ = await acquire(path)
    await expect(acquire(path, { timeout: 10, onWait })).rejects.toThrow('within')
    expect(() => acquireSync(path, { onWait })).toThrow('this thread')
    expect(told.map(({ over }) => over.aborted)).toEqual([true, true])
  })

  it('if its call is aborted', async () => {
    using _ = await acquire(path)
    const abort = new AbortController()
    const waiting = acquire(path, { signal: abort.signal, onWait })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(told.map(({ over }) => over.aborted)).toEqual([true])
  })

  it('if the thread was blocked meanwhile', async () => {
    await using holder = Child.node('hold', path)
    await holder.line()
    const free = (wait: Contention): void => {
      onWait(wait)
      holder.process.kill('SIGKILL')
    }
    using _ = acquireSync(path, { onWait: free })
    expect(told.map(({ over }) => over.aborted)).toEqual([true])
  })

  it('if a shared lock was upgraded, or could not be', async () => {
    using lock = await acquire(path, { mode: 'shared' })
    const other = await acquire(path, { mode: 'shared' })
    await expect(lock.upgrade({ timeout: 10, onWait })).rejects.toThrow('within')
    expect(told.map(({ over }) => over.aborted)).toEqual([true])
    const upgraded = lock.upgrade({ onWait })
    other.release()
    await upgraded
    expect(told.map(({ over }) => over.aborted)).toEqual([true, true])
  })

  it('before a locked file is given', async () => {
    const first = await lockedFile.edit(path)
    await first.write('first')
    const second = lockedFile.edit(path, { onWait })
    first.release()
    ;(await second).release()
    expect(told.map(({ over }) => over.aborted)).toEqual([true])
  })
})
