import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, tryAcquire } from '../src/index.ts'
import { Child } from './support/child.ts'

const pending = `
  const waits = Array.from({ length: 64 }, (_, index) =>
    lock.acquire(process.argv[1], { mode: index % 2 ? 'shared' : 'exclusive', fair: index % 3 > 0 }))
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log('pending')`

describe('a process with pending acquires', () => {
  it.each([
    ['process.exit()', 'process.exit(7)', 7],
    ['an uncaught exception', 'setImmediate(() => { throw new Error("uncaught") })', 1],
    ['an unhandled rejection', 'void Promise.reject(new Error("unhandled"))', 1],
  ])('ends at once by %s', async (_, leave, status) => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path)
    await using child = Child.script(`${pending}\n${leave}`, path)
    await child.line()
    expect(await child.ended).toEqual({ code: status, signal: null })
    expect(lock.held).toBe(true)
  })

  it('stays alive for them otherwise, and ends when they are served', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    await using child = Child.script(
      `${pending}\nfor (const wait of waits) { (await wait).release() }\nconsole.log('served')`,
      path,
    )
    expect(await child.line()).toBe('pending')
    held.release()
    expect(await child.line()).toBe('served')
    await child.success()
  })

  it('leaves the pool of libuv free: 64 waiters hold up nothing else', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const source = `${pending}
      const { readFile } = await import('node:fs/promises')
      console.log((await Promise.all(Array.from({ length: 16 }, () => readFile('package.json')))).length)
      process.exit()`
    await using child = Child.script(source, path)
    expect([await child.line(), await child.line()]).toEqual(['pending', '16'])
    expect(held.held).toBe(true)
  })
})

describe('a worker thread', () => {
  it('that is terminated no longer holds a lock or waits for one', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using child = Child.node('terminated-workers', path)
    expect([await child.line(), await child.line(), await child.line()]).toEqual([
      'held',
      'waiting',
      'exclusive',
    ])
    await child.success()
  })
})

describe('a thousand acquires that are aborted at random', () => {
  it('leave no lock and no descriptor', linuxOnly('/proc/self/fd'), async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const source = `
      import { readdirSync, watch } from 'node:fs'
      const path = process.argv[1]
      const descriptors = () => readdirSync('/proc/self/fd').length
      await lock.tryAcquire(path).then((first) => first.release())
      const held = await lock.acquire(path)
      // First opens the descriptors that are opened once, for watching and cancelling.
      watch(path).close()
      await lock.acquire(path, { timeout: 100 }).catch(() => {})
      const before = descriptors()
      setTimeout(() => held.release(), 60)
      let served = 0
      await Promise.all(Array.from({ length: 1_000 }, async (_, index) => {
        const signal = AbortSignal.timeout(Math.floor(Math.random() * 120))
        const mode = index % 2 ? 'shared' : 'exclusive'
        try {
          const lent = await lock.acquire(path + index % 3, { mode, signal, fair: index % 5 > 0 })
            .then(async (outer) => {
              try { return await lock.acquire(path, { mode, signal }) } finally { outer.release() }
            })
          served++
          lent.release()
        } catch (error) {
          if (error.name !== 'TimeoutError') throw error
        }
      }))
      const free = [path, path + 0, path + 1, path + 2].map((each) => lock.acquireSync(each, { timeout: 0 }))
      free.forEach((each) => each.release())
      await new Promise(setImmediate)
      console.log(descriptors() - before, served < 1_000)`
    await using child = Child.script(source, path)
    expect(await child.line()).toBe('-1 true')
    await child.success()
    expect(await tryAcquire(path)).not.toBeNull()
  })
})
