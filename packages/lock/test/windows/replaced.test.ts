// @vitest-environment-options { "alone": "windows/replaced" }
import { renameSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { DataDirLock, acquire, acquireSync, tryAcquire, type Lock } from '../../src/index.ts'
import { Child } from '../support/child.ts'
import { LOCK_EX } from '../support/scripted-binding.ts'

const options = { fair: false }
const ways: [string, (path: string) => Promise<Lock | null>][] = [
  ['acquire', async (path) => acquire(path, options)],
  ['tryAcquire', async (path) => tryAcquire(path)],
  ['acquireSync', async (path) => acquireSync(path, options)],
]

/** Replaces the file in the moment before it is locked for the first so many times. */
function replaceBeforeLocking(path: string, times: number): void {
  hand.script = (fd, operation, flock) => {
    if (operation === LOCK_EX && times-- > 0) {
      renameSync(path, `${path}-${times}`)
      writeFileSync(path, '')
    }
    return flock(fd, operation)
  }
}

describe.each(ways)('%s', (_, take) => {
  it('locks the file that the path leads to, if it was replaced between opening and locking', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    writeFileSync(path, '')
    replaceBeforeLocking(path, 3)
    using lock = await take(path)
    expect(lock?.isCurrent()).toBe(true)
    for (const old of [0, 1, 2]) {
      // No lock is held on the replaced files.
      using free = await tryAcquire(`${path}-${old}`)
      expect(free?.held).toBe(true)
    }
  })

  it('notices it, too, if the addon opens and locks in one call', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    hand.inOneCall = true
    // In quick succession the file stays open, and so it is locked without being opened again.
    for (let times = 0; times < 3; times++) acquireSync(path).release()
    renameSync(path, directory.file('elsewhere'))
    writeFileSync(path, '')
    using lock = await take(path)
    expect(lock?.isCurrent()).toBe(true)
    using free = await tryAcquire(directory.file('elsewhere'))
    expect(free?.held).toBe(true)
  })
})

describe('a wait that looks again and again', () => {
  it('goes on with the file that the path leads to now', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using old = await acquire(path, options)
    const waiting = acquire(path, options)
    renameSync(path, directory.file('elsewhere'))
    writeFileSync(path, '')
    using lock = await waiting
    expect([old.isCurrent(), lock.isCurrent()]).toEqual([false, true])
  })
})

describe.each([
  ['acquire', async (path: string) => acquire(path, options)],
  ['acquireSync', async (path: string) => acquireSync(path, options)],
])('%s that has to wait', (_, take) => {
  it('takes a breath when the file is replaced again and again, and goes on', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using holder = Child.node('hold', path)
    await holder.line()
    let tries = 0
    hand.script = (fd, operation, flock) => {
      // The first try finds the lock taken, the next ones lock what the path leads to no more.
      if (operation === LOCK_EX && tries++ > 0 && tries < 40) {
        renameSync(path, `${path}-${tries}`)
        writeFileSync(path, '')
      }
      return flock(fd, operation)
    }
    using lock = await take(path)
    expect([lock.isCurrent(), tries]).toEqual([true, 40])
    using free = await tryAcquire(`${path}-39`)
    expect(free?.held).toBe(true)
  })
})

describe('DataDirLock.acquireOrBreakStale', () => {
  it('locks the file that the path leads to, if it was replaced between opening and locking', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('.howdah.lock')
    writeFileSync(path, '')
    replaceBeforeLocking(path, 3)
    using lock = await DataDirLock.acquireOrBreakStale(directory.path, { durable: false })
    expect(lock.held).toBe(true)
    expect(await tryAcquire(path)).toBeNull()
    using free = await tryAcquire(`${path}-0`)
    expect(free?.held).toBe(true)
  })

  it('is refused if the file is replaced before the second try, because another process may hold the new file', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('.howdah.lock')
    const held = await acquire(path, options)
    const onStale = (): void => {
      held.release()
      renameSync(path, directory.file('elsewhere'))
      writeFileSync(path, '')
    }
    await expect(
      DataDirLock.acquireOrBreakStale(directory.path, { onStale }),
    ).rejects.toMatchObject({ code: 'ERR_LOCK_STALE_BREAK_REFUSED' })
    for (const each of [path, directory.file('elsewhere')]) {
      using free = await tryAcquire(each)
      expect(free?.held).toBe(true)
    }
  })
})
