// @vitest-environment-options { "alone": "windows/upgrading" }
import { existsSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { linuxOnly, temporaryDirectory, until, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, inspect, tryAcquire, type Contention, type Lock } from '../../src/index.ts'
import { Child } from '../support/child.ts'
import { LOCK_EX } from '../support/scripted-binding.ts'

let directory: TemporaryDirectory
let path: string
/** Two readers: the first one upgrades. */
let lock: Lock
let other: Lock

beforeEach(async () => {
  directory = temporaryDirectory()
  path = directory.file('lock')
  lock = await acquire(path, { mode: 'shared' })
  other = await acquire(path, { mode: 'shared' })
})
afterEach(() => {
  vi.restoreAllMocks()
  lock.release()
  other.release()
  directory[Symbol.dispose]()
})

/** How many files below the directory this process has open. */
function openNow(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory.path)
    } catch {
      return false
    }
  }).length
}

async function expectGateIsFree(): Promise<void> {
  using gate = await tryAcquire(`${path}.gate`)
  expect(gate?.held).toBe(true)
}

const seen = linuxOnly('/proc, which tells who holds a lock and what is open')

describe('an upgrade', seen, () => {
  it('that is aborted beforehand changes nothing, even if the lock could be had', async () => {
    other.release()
    const reason = new Error('enough')
    await expect(lock.upgrade({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect([lock.held, lock.mode]).toEqual([true, 'shared'])
  })

  it.each([-1, Number.NaN])(
    'is refused with a timeout of %d, and changes nothing',
    async (time) => {
      other.release()
      await expect(lock.upgrade({ timeout: time })).rejects.toMatchObject({
        code: 'ERR_LOCK_OPTION',
      })
      expect([lock.held, lock.mode]).toEqual([true, 'shared'])
    },
  )

  it('tells once what it waits for, and who has it', async () => {
    const told: Contention[] = []
    const upgraded = lock.upgrade({
      onWait: (contention) => {
        told.push(contention)
        other.release()
      },
    })
    await upgraded
    expect(told).toMatchObject([
      { path, mode: 'exclusive', holders: [{ pid: process.pid, mode: 'shared' }] },
    ])
  })

  it('that need not wait tells nothing', async () => {
    other.release()
    const onWait = vi.fn<(contention: Contention) => void>()
    await lock.upgrade({ onWait })
    expect(onWait).not.toHaveBeenCalled()
  })

  it('goes through a gate that somebody has for a moment only', async () => {
    // Time stands still, so that no slow machine makes a moment long.
    vi.spyOn(performance, 'now').mockReturnValue(1_000)
    let refusals = 0
    hand.script = (fd, operation, flock) => {
      const isGate = operation === LOCK_EX && fd !== lock.fd
      if (isGate && ++refusals <= 3) return -constants.errno.EAGAIN
      return flock(fd, operation)
    }
    await lock.upgrade({ onWait: () => other.release() })
    expect([refusals > 3, lock.mode]).toEqual([true, 'exclusive'])
  })

  it('has the gate while it waits, and gives it back when it is over', async () => {
    const upgraded = lock.upgrade()
    expect(await tryAcquire(`${path}.gate`)).toBeNull()
    other.release()
    await upgraded
    await expectGateIsFree()
  })

  it.each(['a timeout', 'an abort', 'a release', 'a deadlock'])(
    'that ends by %s leaves nothing open, and the gate free',
    async (end) => {
      const before = openNow()
      const abort = new AbortController()
      const gate = end === 'a deadlock' ? await tryAcquire(`${path}.gate`) : null
      const upgraded = lock.upgrade({
        timeout: end === 'a timeout' ? 20 : undefined,
        signal: abort.signal,
      })
      if (end === 'an abort') abort.abort()
      if (end === 'a release') lock.release()
      await expect(upgraded).rejects.toBeInstanceOf(Error)
      gate?.release()
      expect(openNow()).toBe(end === 'a release' ? before - 1 : before)
      await expectGateIsFree()
    },
  )

  it('needs no gate if that cannot be opened', async () => {
    symlinkSync('elsewhere', `${path}.gate`)
    await lock.upgrade({ onWait: () => other.release() })
    expect(lock.mode).toBe('exclusive')
  })

  it('does not take who waits for a holder', async () => {
    other.release()
    await using waiter = Child.node('hold', path)
    await until('it waits', async () => (await inspect(path)).waiters.length > 0)
    expect(lock.tryUpgrade()).toBe(true)
    lock.release()
    expect([await waiter.line(), await waiter.line()]).toEqual(['waiting', 'held'])
  })

  it('that waits can be made again after it was refused', async () => {
    await expect(lock.upgrade({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' })
    other.release()
    await lock.upgrade({ timeout: 0 })
    expect(lock.mode).toBe('exclusive')
  })
})

it('a lock is detached once, and then does nothing', seen, () => {
  lock.detach()
  lock.detach()
  lock.release()
  expect([lock.held, openNow()]).toEqual([false, 1])
})

describe('no gate is made', seen, () => {
  it('by an upgrade of a lock that does not stand in line', async () => {
    using apart = await acquire(directory.file('apart'), { mode: 'shared', fair: false })
    using beside = await acquire(directory.file('apart'), { mode: 'shared', fair: false })
    expect(apart.tryUpgrade()).toBe(false)
    await expect(apart.upgrade({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' })
    expect(beside.held).toBe(true)
    expect(existsSync(directory.file('apart.gate'))).toBe(false)
  })

  it('by an upgrade of a lock that is exclusive already', async () => {
    using apart = await acquire(directory.file('apart'))
    expect(apart.tryUpgrade()).toBe(true)
    await apart.upgrade()
    expect(existsSync(directory.file('apart.gate'))).toBe(false)
  })
})
