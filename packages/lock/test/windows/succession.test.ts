// @vitest-environment-options { "alone": "windows/succession" }
import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquireSync, flockBinding, tryAcquire } from '../../src/index.ts'
import { Child } from '../support/child.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe.runIf(flockBinding().name === 'native')('in a quick succession of locks', () => {
  beforeEach(() => {
    hand.inOneCall = true
    // Time stands still, so that each lock follows the last one at once.
    vi.spyOn(performance, 'now').mockReturnValue(1_000)
  })

  it('a lock that a child has is never given on to the next one: the child would keep it', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    for (let times = 0; times < 3; times++) acquireSync(path).release()
    const lock = acquireSync(path)
    await using child = Child.command('cat', [], [lock.fd])
    lock.release()
    acquireSync(path).detach()
    vi.restoreAllMocks()
    expect(child.process.exitCode).toBeNull()
    using next = await tryAcquire(path)
    expect(next?.held).toBe(true)
  })
})

describe('only a lock that is garbage collected while it is held', () => {
  it('is warned of, not one that was released or detached, however quickly locks follow', async () => {
    using directory = temporaryDirectory()
    const source = `
      import { setFlagsFromString } from 'node:v8'
      import { runInNewContext } from 'node:vm'
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc')
      const directory = process.argv[1]
      const warned = []
      process.on('warning', ({ message }) => warned.push(/lock on \\S+\\/(\\w+)/.exec(message)?.[1]))
      await (async () => {
        for (let times = 0; times < 20; times++) {
          lock.acquireSync(directory + '/released').release()
          lock.acquireSync(directory + '/detached').detach()
        }
        await new Promise(setImmediate)
        lock.acquireSync(directory + '/slowly').release()
        // The last lock of a succession and one that follows nothing.
        lock.acquireSync(directory + '/first')
        lock.acquireSync(directory + '/second')
        lock.acquireSync(directory + '/third')
      })()
      while (warned.length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        collect()
      }
      console.log(warned.toSorted().join(' '))`
    await using child = Child.script(source, directory.path)
    expect(await child.line()).toBe('first second third')
    await child.success()
  })
})
