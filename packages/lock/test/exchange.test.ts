import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { acquire, exchange, tryAcquire } from '@howdah/lock'
import { describe, expect, it } from 'vitest'

describe('exchange', () => {
  it('swaps two directories, and their locks stay with them', async () => {
    using home = temporaryDirectory()
    const [one, other] = [home.file('one'), home.file('other')]
    for (const path of [one, other]) {
      mkdirSync(path)
      writeFileSync(`${path}/${path === one ? 'first' : 'second'}`, '')
    }
    const inode = statSync(one).ino
    using lock = await acquire(one)
    exchange(one, other)
    expect(readdirSync(one)).toEqual(['second'])
    expect(readdirSync(other)).toEqual(['first'])
    expect(statSync(other).ino).toBe(inode)
    expect(lock.held).toBe(true)
    expect(await tryAcquire(other)).toBeNull()
    using free = await tryAcquire(one)
    expect(free).not.toBeNull()
  })

  it('a waiter at the path gets the lock of the directory that is there now', async () => {
    using home = temporaryDirectory()
    const [one, other] = [home.file('one'), home.file('other')]
    for (const path of [one, other]) mkdirSync(path)
    const lock = await acquire(one)
    const next = await acquire(other)
    let waits = () => undefined as void
    const waiting = new Promise<void>((settle) => (waits = settle))
    const waiter = acquire(one, { onWait: () => waits() })
    await waiting
    exchange(one, other)
    lock.release()
    next.release()
    using got = await waiter
    expect(got.held).toBe(true)
    expect(await tryAcquire(one)).toBeNull()
    using free = await tryAcquire(other)
    expect(free).not.toBeNull()
  })

  it('changes nothing if one of the two is missing', () => {
    using home = temporaryDirectory()
    mkdirSync(home.file('one'))
    expect(() => exchange(home.file('one'), home.file('missing'))).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: home.file('one') }),
    )
    expect(readdirSync(home.path)).toEqual(['one'])
  })
})
