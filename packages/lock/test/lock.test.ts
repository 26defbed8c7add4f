import { readdirSync, readlinkSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { linuxOnly, temporaryDirectory, until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, acquireSync, inspect, tryAcquire, type Lock } from '../src/index.ts'
import { Child } from './support/child.ts'

/** The file that an open descriptor leads to; empty if the descriptor was closed meanwhile. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe('release', () => {
  it('frees the lock at once, and does nothing the second time', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path)
    expect(lock.held).toBe(true)
    lock.release()
    expect(lock.held).toBe(false)
    using next = await tryAcquire(path)
    lock.release()
    expect(next?.held).toBe(true)
    expect(await tryAcquire(path)).toBeNull()
  })

  it('is called by both ways to dispose', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const locks: Lock[] = []
    {
      using lock = await acquire(path)
      locks.push(lock)
    }
    {
      await using lock = await acquire(path)
      locks.push(lock)
    }
    expect(locks.map((lock) => lock.held)).toEqual([false, false])
  })

  it('also releases the lock of a child that has the descriptor', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path)
    await using child = Child.command('sh', ['-c', 'echo started; cat'], [lock.fd])
    await child.line()
    lock.release()
    using next = await tryAcquire(path)
    expect(next?.held).toBe(true)
  })

  const openFiles = linuxOnly('/proc/self/fd')

  it(
    'leaves no descriptor open as soon as the event loop goes on, however quickly locks follow',
    openFiles,
    async () => {
      using directory = temporaryDirectory()
      const open = (): number =>
        readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(directory.path)).length
      for (const name of ['one', 'one', 'one', 'two']) {
        acquireSync(directory.file(name)).release()
        ;(await acquire(directory.file(name))).release()
      }
      await breathe()
      expect(open()).toBe(0)
      using lock = await acquire(directory.file('one'))
      expect([open(), lock.held]).toEqual([1, true])
    },
  )

  it('ends the lock of a child for good: a lock that is taken at once afterwards does not belong to the child', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = acquireSync(path)
    await using child = Child.command('cat', [], [lock.fd])
    lock.release()
    acquireSync(path).detach()
    expect(child.process.exitCode).toBeNull()
    using next = await tryAcquire(path)
    expect(next?.held).toBe(true)
  })

  it('leaves a lock that fails every further call', async () => {
    using directory = temporaryDirectory()
    const lock = await acquire(directory.file('lock'), { mode: 'shared' })
    lock.release()
    const released = code('ERR_LOCK_RELEASED')
    expect(() => lock.fd).toThrowError(released)
    expect(() => lock.downgrade()).toThrowError(released)
    expect(() => lock.tryUpgrade()).toThrowError(released)
    await expect(lock.upgrade()).rejects.toEqual(released)
  })
})

describe('detach', () => {
  it('leaves the lock to a child that has the descriptor, until the child ends', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path)
    await using child = Child.command('sh', ['-c', 'echo started; cat'], [lock.fd])
    await child.line()
    lock.detach()
    expect(lock.held).toBe(false)
    expect(await tryAcquire(path)).toBeNull()
    const waiting = acquire(path)
    child.finish()
    using next = await waiting
    expect(next.held).toBe(true)
  })

  it('releases if there is no child', async () => {
    using directory = temporaryDirectory()
    const lock = await acquire(directory.file('lock'))
    lock.detach()
    using next = await tryAcquire(directory.file('lock'))
    expect(next?.held).toBe(true)
  })
})

describe('downgrade', () => {
  it('lets waiting readers in, and keeps writers out', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path)
    const reader = acquire(path, { mode: 'shared' })
    lock.downgrade()
    expect(lock.mode).toBe('shared')
    using read = await reader
    expect(read.held).toBe(true)
    expect(await tryAcquire(path)).toBeNull()
    lock.downgrade()
    expect(lock.held).toBe(true)
  })
})

describe('tryUpgrade', () => {
  it('succeeds for the only reader', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    expect(lock.tryUpgrade()).toBe(true)
    expect(lock.mode).toBe('exclusive')
    expect(lock.tryUpgrade()).toBe(true)
    expect(await tryAcquire(path, { mode: 'shared' })).toBeNull()
  })

  it('succeeds for the only reader although a writer waits', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path, { mode: 'shared' })
    const writer = acquire(path)
    expect(lock.tryUpgrade()).toBe(true)
    lock.release()
    ;(await writer).release()
  })

  it('fails beside another reader, and is then still shared', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    await using other = Child.node('hold', path, '{"mode":"shared"}')
    await other.line()
    expect(lock.tryUpgrade()).toBe(false)
    expect(lock).toMatchObject({ mode: 'shared', held: true })
    await other[Symbol.asyncDispose]()
    expect(await tryAcquire(path)).toBeNull()
    expect(lock.tryUpgrade()).toBe(true)
  })

  it('tells the truth in a storm of upgrades: shared, exclusive or lost', async () => {
    const rounds = 500
    using directory = temporaryDirectory()
    const storm = `
      import { closeSync, openSync, unlinkSync } from 'node:fs'
      const [path, inside] = process.argv.slice(1)
      const count = { true: 0, false: 0, ERR_LOCK_LOST: 0 }
      for (let round = 0; round < ${rounds}; round++) {
        const held = await lock.acquire(path, { mode: 'shared' })
        let outcome
        try { outcome = held.tryUpgrade() } catch (error) { outcome = error.code }
        count[outcome]++
        if (outcome === true) { closeSync(openSync(inside, 'wx')); unlinkSync(inside) }
        if (outcome === false && await lock.tryAcquire(path)) throw new Error('it was not shared')
        if (held.held === (outcome === 'ERR_LOCK_LOST')) throw new Error('held is wrong')
        held.release()
        if (round % 7 === 0) await new Promise(setImmediate)
      }
      console.log(JSON.stringify(count))`
    const counts: Record<string, number>[] = []
    const rage = async (): Promise<void> => {
      await using children = Child.several(4, () =>
        Child.script(storm, directory.file('lock'), directory.file('inside')),
      )
      const said = children.map(async (child) => {
        counts.push(JSON.parse(await child.line()) as Record<string, number>)
        await child.success()
      })
      await Promise.all(said)
    }
    const sum = (...outcomes: string[]): number =>
      counts.flatMap((count) => outcomes.map((one) => count[one] ?? 0)).reduce((a, b) => a + b)
    // The upgrades hinder each other, and still succeed. On a busy machine the processes may run one after the other.
    do await rage()
    while (sum('true') === 0 || sum('false', 'ERR_LOCK_LOST') === 0)
    expect(sum('true', 'false', 'ERR_LOCK_LOST')).toBe(counts.length * rounds)
  })
})

describe('upgradeOrRelease', () => {
  it('succeeds for the only reader', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    expect(lock.upgradeOrRelease()).toBe(true)
    expect(lock).toMatchObject({ mode: 'exclusive', held: true })
    expect(lock.upgradeOrRelease()).toBe(true)
    expect(await tryAcquire(path, { mode: 'shared' })).toBeNull()
  })

  it('fails beside another reader, and is then released', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    using other = await acquire(path, { mode: 'shared' })
    expect(lock.upgradeOrRelease()).toBe(false)
    expect(lock.held).toBe(false)
    expect(() => lock.upgradeOrRelease()).toThrowError(code('ERR_LOCK_RELEASED'))
    expect(other.upgradeOrRelease()).toBe(true)
  })

  it('succeeds for the last of several readers that try in turn', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const locks = await Promise.all([1, 2, 3].map(() => acquire(path, { mode: 'shared' })))
    expect(locks.map((lock) => lock.upgradeOrRelease())).toEqual([false, false, true])
    locks.at(-1)?.release()
  })

  it('lets a waiter in if it is refused', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const first = await acquire(path, { mode: 'shared' })
    const second = await acquire(path, { mode: 'shared' })
    const writer = acquire(path)
    expect(first.upgradeOrRelease()).toBe(false)
    second.release()
    ;(await writer).release()
  })
})

describe('upgrade', () => {
  it('waits for the other readers', linuxOnly('/proc/locks, which tells who waits'), async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    const other = await acquire(path, { mode: 'shared' })
    let waits = 0
    const upgraded = lock.upgrade({ onWait: () => waits++ })
    await until('the upgrade waits', async () => (await inspect(path)).waiters.length > 0)
    other.release()
    await upgraded
    expect(lock.mode).toBe('exclusive')
    expect(waits).toBe(1)
  })

  it('reports a deadlock to the second of two upgraders, and lets the first one through', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const upgrader = `
      const held = await lock.acquire(process.argv[1], { mode: 'shared' })
      console.log('shared')
      process.stdin.once('data', async () => {
        const outcome = await held.upgrade().then(() => 'exclusive', (error) => error.code)
        console.log(outcome, held.mode, held.held)
        held.release()
        process.stdin.destroy()
      })`
    await using one = Child.script(upgrader, path)
    await using two = Child.script(upgrader, path)
    expect([await one.line(), await two.line()]).toEqual(['shared', 'shared'])
    one.tell('upgrade')
    two.tell('upgrade')
    const outcomes = await Promise.all([one.line(), two.line()])
    expect(outcomes.toSorted()).toEqual([
      'ERR_LOCK_DEADLOCK shared true',
      'exclusive exclusive true',
    ])
  })

  it('is still shared after a timeout, and after an abort', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    using other = await acquire(path, { mode: 'shared' })
    await expect(lock.upgrade({ timeout: 20 })).rejects.toEqual(code('ERR_LOCK_TIMEOUT'))
    await expect(lock.upgrade({ timeout: 0 })).rejects.toEqual(code('ERR_LOCK_TIMEOUT'))
    const controller = new AbortController()
    const upgraded = lock.upgrade({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(upgraded).rejects.toThrow('enough')
    expect(lock).toMatchObject({ held: true, mode: 'shared' })
    other.release()
    expect(lock.tryUpgrade()).toBe(true)
  })

  it('gives up when the lock is released meanwhile', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path, { mode: 'shared' })
    using other = await acquire(path, { mode: 'shared' })
    const upgraded = lock.upgrade()
    lock.release()
    await expect(upgraded).rejects.toEqual(code('ERR_LOCK_RELEASED'))
    expect(other.tryUpgrade()).toBe(true)
  })
})

describe('a lock that is garbage collected', () => {
  it('warns, and is released', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const source = `
      import { setFlagsFromString } from 'node:v8'
      import { runInNewContext } from 'node:vm'
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc')
      process.on('warning', (warning) => console.log(warning.name, warning.code))
      await (async () => { await lock.acquire(process.argv[1]) })()
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        collect()
        const again = await lock.tryAcquire(process.argv[1])
        if (again) { console.log('free'); again.release(); break }
      }`
    await using child = Child.script(source, path)
    expect([await child.line(), await child.line()].toSorted()).toEqual([
      'LockWarning LOCK_COLLECTED',
      'free',
    ])
    await child.success()
  })
})
