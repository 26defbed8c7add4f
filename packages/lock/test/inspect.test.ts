import { readdirSync, readlinkSync } from 'node:fs'
import { linuxOnly, onlyIf, temporaryDirectory, times, until, whereIs } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, flockBinding, inspect } from '../src/index.ts'
import { Child } from './support/child.ts'

/** Inside another one, `inspect` must try a lock that seems free, as its docstring says. */
const seesAllHolders = onlyIf(
  process.platform === 'linux' && readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]',
  "only the machine's first pid namespace shows every holder of a lock",
)

describe('inspect', linuxOnly('/proc/locks, which tells who holds a lock'), () => {
  it('finds no holder of a missing file, and does not make the file', async () => {
    using directory = temporaryDirectory()
    expect(await inspect(directory.file('lock'))).toEqual({
      holders: [],
      waiters: [],
      unseen: null,
    })
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('names the holders, their mode and their command', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    await using other = Child.node('hold', path, '{"mode":"shared"}')
    await other.line()
    const { holders, waiters } = await inspect(path)
    expect(holders).toHaveLength(2)
    expect(holders).toContainEqual({
      pid: process.pid,
      mode: 'shared',
      command: expect.any(String),
    })
    expect(holders).toContainEqual({
      pid: other.pid,
      mode: 'shared',
      command: expect.stringMatching(/hold\.mjs .*lock/),
    })
    expect(waiters).toEqual([])
    lock.release()
    expect((await inspect(path)).holders.map(({ pid }) => pid)).toEqual([other.pid])
  })

  it.each(['exclusive', 'shared'] as const)(
    'names the first waiter, and that it wants the lock %s',
    async (mode) => {
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      using lock = await acquire(path)
      await using waiter = Child.node('hold', path, JSON.stringify({ mode }))
      await waiter.line()
      const found = await until('it waits', async () => {
        const now = await inspect(path)
        return now.waiters.length > 0 && now
      })
      expect(found.holders).toMatchObject([{ pid: process.pid, mode: 'exclusive' }])
      expect(found.waiters).toMatchObject([{ pid: waiter.pid, mode }])
      expect(lock.held).toBe(true)
    },
  )

  it('names all waiters in the queue of the kernel, and the mode that each wants', async ({
    skip,
  }) => {
    skip(flockBinding().name !== 'native', 'only our own binding waits there')
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path)
    const wanted = []
    await using first = Child.node('hold', path, '{}')
    await using second = Child.node('hold', path, '{"mode":"shared"}')
    await using third = Child.node('hold', path, '{}')
    for (const [child, mode] of [
      [first, 'exclusive'],
      [second, 'shared'],
      [third, 'exclusive'],
    ] as const) {
      await child.line()
      wanted.push(expect.objectContaining({ pid: child.pid, mode }))
    }
    await until('all wait', async () => (await inspect(path)).waiters.length === 3)
    const { waiters } = await inspect(path)
    expect(waiters).toEqual(expect.arrayContaining(wanted))
    expect(lock.held).toBe(true)
  })

  it('names flock(1), as holder and as waiter', async ({ skip }) => {
    skip(whereIs('flock') === null, 'there is no flock(1)')
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using holder = Child.command('flock', ['--no-fork', path, 'sh', '-c', 'echo held; cat'])
    await holder.line()
    await using waiter = Child.command('flock', ['--shared', path, 'true'])
    const found = await until('it waits', async () => {
      const now = await inspect(path)
      return now.waiters.length > 0 && now
    })
    expect(found.holders.map(({ pid }) => pid)).toContain(holder.pid)
    expect(found.waiters).toMatchObject([{ pid: waiter.pid, mode: 'shared' }])
  })

  it('names the child that inherited a lock, not the process that took it', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path)
    await using child = Child.command('cat', [], [lock.fd])
    lock.detach()
    expect((await inspect(path)).holders).toMatchObject([
      { pid: child.pid, mode: 'exclusive', command: 'cat' },
    ])
  })

  it('names no dead process, only the child that inherited the lock of a killed process', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const handOn = `
      const held = await lock.acquire(process.argv[1])
      const { spawn } = await import('node:child_process')
      const heir = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', held.fd] })
      console.log(heir.pid)
      process.stdin.resume()`
    const taker = Child.script(handOn, path)
    const heir = Number(await taker.line())
    try {
      await taker[Symbol.asyncDispose]()
      expect((await inspect(path)).holders).toMatchObject([{ pid: heir, command: 'sleep 1000' }])
    } finally {
      process.kill(heir, 'SIGKILL')
    }
  })

  it("never makes another's try fail", { ...seesAllHolders, timeout: 1_800_000 }, async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const tries = `
      let tries = 0, failed = 0
      process.stdin.resume().once('end', () => { console.log(failed); process.exit() })
      for (;;) {
        const held = await lock.tryAcquire(process.argv[1])
        if (held) held.release(); else failed++
        if (++tries % 100 === 0) await new Promise(setImmediate)
        if (tries === 100) console.log('trying')
      }`
    await using child = Child.script(tries, path)
    await child.line()
    for (let count = 0; count < times(100, 10_000); count++) await inspect(path)
    child.finish()
    expect(await child.line()).toBe('0')
  })

  it('works on directories', async () => {
    using directory = temporaryDirectory()
    using lock = await acquire(directory.path)
    expect((await inspect(directory.path)).holders).toMatchObject([
      { pid: process.pid, mode: 'exclusive' },
    ])
    lock.release()
    expect((await inspect(directory.path)).holders).toEqual([])
  })
})
