import { renameSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { beforeEach, describe, expect, it } from 'vitest'
import { acquire, flockBinding, inspect } from '../src/index.ts'
import { Child } from './support/child.ts'

const noQueue =
  process.platform !== 'linux' || flockBinding().name !== 'native'
    ? 'only our own binding waits in the kernel, and only Linux tells who waits'
    : null

describe('a wait in the queue of the kernel', () => {
  beforeEach(({ skip }) => skip(noQueue !== null, noQueue ?? ''))

  it('takes one thread for all waiters for a lock in one process', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const source = `
      import { readdirSync } from 'node:fs'
      const threads = () => readdirSync('/proc/self/task').length
      const before = threads()
      const [path] = process.argv.slice(1)
      const waits = Array.from({ length: 10_000 }, () => lock.acquire(path))
      await new Promise(setImmediate)
      console.log(threads() - before)
      for (const wait of waits) (await wait).release()
      console.log('served')`
    await using child = Child.script(source, path)
    expect(await child.line()).toBe('1')
    held.release()
    expect(await child.line()).toBe('served')
    await child.success()
  })

  it('is one of at most 256 in a process, and further waiters poll', async () => {
    using directory = temporaryDirectory()
    const source = `
      import { readdirSync } from 'node:fs'
      const threads = () => readdirSync('/proc/self/task').length
      const before = threads()
      const paths = Array.from({ length: 300 }, (_, index) => process.argv[1] + '/' + index)
      const held = await Promise.all(paths.map((path) => lock.acquire(path)))
      const waits = paths.map((path) => lock.acquire(path))
      await new Promise(setImmediate)
      console.log(threads() - before)
      for (const each of held) each.release()
      for (const wait of waits) (await wait).release()
      console.log('served')`
    await using child = Child.script(source, directory.path)
    expect(await child.line()).toBe('256')
    expect(await child.line()).toBe('served')
    await child.success()
  })

  it('is over when an abort or a timeout is told', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const abort = new AbortController()
    const waiting = acquire(path, { signal: abort.signal, fair: false })
    await until('it waits', async () => (await inspect(path)).waiters.length === 1)
    abort.abort()
    await expect(waiting).rejects.toThrow(abort.signal.reason)
    expect((await inspect(path)).waiters).toEqual([])
    await expect(acquire(path, { timeout: 20 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' })
    expect(await inspect(path)).toMatchObject({ holders: [{ pid: process.pid }], waiters: [] })
    expect(held.held).toBe(true)
  })

  it('is over when its worker thread is terminated', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const source = `
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      const [path] = process.argv.slice(1)
      const code = "import { parentPort, workerData as path } from 'node:worker_threads'; import { acquire } from '@howdah/lock';" +
        "await acquire(path, { onWait: () => setImmediate(() => parentPort.postMessage('')) })"
      const worker = new Worker(code, { eval: true, workerData: path })
      await once(worker, 'message')
      console.log((await lock.inspect(path)).waiters.length)
      await worker.terminate()
      console.log((await lock.inspect(path)).waiters.length)`
    await using child = Child.script(source, path)
    expect([await child.line(), await child.line()]).toEqual(['1', '0'])
    await child.success()
    expect(held.held).toBe(true)
  })

  it('of a reader begins behind a writer that waits for other readers', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path, { mode: 'shared' })
    await using writer = Child.node('hold', path)
    await until('the writer waits', async () => (await inspect(path)).waiters.length === 1)
    const reader = acquire(path, { mode: 'shared' })
    await until('the reader waits', async () => (await inspect(path)).waiters.length === 2)
    held.release()
    expect([await writer.line(), await writer.line()]).toEqual(['waiting', 'held'])
    writer.finish()
    ;(await reader).release()
  })

  it('keeps its place in line if the file is replaced', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const source = `
      const mine = await lock.acquire(process.argv[1])
      console.log(mine.isCurrent())
      process.stdin.resume().once('end', () => mine.release())`
    const waiting = (count: number): Promise<unknown> =>
      until('it waits', async () => (await inspect(path)).waiters.length === count)
    await using first = Child.script(source, path)
    await waiting(1)
    await using second = Child.script(source, path)
    await waiting(2)
    renameSync(path, directory.file('elsewhere'))
    writeFileSync(path, '')
    held.release()
    expect(await first.line()).toBe('true')
    first.finish()
    expect(await second.line()).toBe('true')
    second.finish()
    await Promise.all([first.success(), second.success()])
  })

  it('notices after a second that the file was replaced, although the holder stays', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const waiting = acquire(path)
    await until('it waits', async () => (await inspect(path)).waiters.length === 1)
    renameSync(path, directory.file('elsewhere'))
    using lock = await waiting
    expect([held.isCurrent(), lock.isCurrent()]).toEqual([false, true])
  })
})
