// @vitest-environment-options { "alone": "windows/gate" }
import { chmodSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, tryAcquire } from '../../src/index.ts'
import { attempt } from '../../src/waiting/contend.ts'
import { request } from '../../src/waiting/request.ts'
import { LOCK_EX } from '../support/scripted-binding.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the gate', () => {
  it.each(
    [0o600, 0o640, 0o755].flatMap((mode) =>
      [true, false].map((inOneCall) => [mode, inOneCall] as const),
    ),
  )(
    'has the permissions %o of its lock file, less what only programs need, in one call: %s',
    async (mode, inOneCall) => {
      hand.inOneCall = inOneCall
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      writeFileSync(path, '')
      chmodSync(path, mode)
      const held = await acquire(path)
      const waiting = acquire(path)
      const { mode: made } = statSync(`${path}.gate`)
      held.release()
      ;(await waiting).release()
      expect(made & 0o777).toBe(mode & 0o666 & ~process.umask())
    },
  )

  it('is held while somebody waits, and free when the wait is over in whatever way', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const gate = `${path}.gate`
    const held = await acquire(path)
    const abort = new AbortController()
    const aborted = acquire(path, { signal: abort.signal })
    expect(await tryAcquire(gate)).toBeNull()
    abort.abort()
    await expect(aborted).rejects.toBe(abort.signal.reason)
    ;(await tryAcquire(gate))!.release()

    const waiting = acquire(path)
    expect(await tryAcquire(gate)).toBeNull()
    held.release()
    using lock = await waiting
    using free = await tryAcquire(gate)
    expect([lock.held, free?.held]).toEqual([true, true])
  })

  it('is not needed if it cannot be opened', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    symlinkSync('elsewhere', `${path}.gate`)
    const held = await acquire(path)
    const waiting = acquire(path)
    held.release()
    using lock = await waiting
    expect(lock.held).toBe(true)
  })

  it.each([true, false])(
    'that is a symbolic link means no waiter, in one call: %s',
    async (inOneCall) => {
      hand.inOneCall = inOneCall
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      writeFileSync(directory.file('elsewhere'), '')
      using elsewhere = await tryAcquire(directory.file('elsewhere'))
      symlinkSync('elsewhere', `${path}.gate`)
      using lock = await acquire(path, { timeout: 1_000 })
      expect([elsewhere?.held, lock.held]).toEqual([true, true])
    },
  )

  it.each([true, false])('keeps no single try back, in one call: %s', async (inOneCall) => {
    hand.inOneCall = inOneCall
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using gate = await tryAcquire(`${path}.gate`)
    using lock = await tryAcquire(path)
    expect([gate?.held, lock?.held]).toEqual([true, true])
  })

  it('is held while a lock is upgraded, and free afterwards', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    const upgrading: boolean[] = []
    hand.script = (fd, operation, flock) => {
      if (operation === LOCK_EX && fd === lock.fd) {
        hand.script = null
        const gate = attempt(request(`${path}.gate`), false)
        upgrading.push(gate.mode === null)
        gate.release()
      }
      return flock(fd, operation)
    }
    expect(lock.tryUpgrade()).toBe(true)
    expect(upgrading).toEqual([true])
    using free = await tryAcquire(`${path}.gate`)
    expect(free?.held).toBe(true)
  })

  it('that somebody has does not hold up a single try to upgrade', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    using gate = await tryAcquire(`${path}.gate`)
    expect(lock.tryUpgrade()).toBe(true)
    expect(gate?.held).toBe(true)
  })

  it('that somebody keeps makes an upgrade that waits a deadlock, and the lock stays shared', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared' })
    using other = await acquire(path, { mode: 'shared' })
    using gate = await tryAcquire(`${path}.gate`)
    await expect(lock.upgrade()).rejects.toMatchObject({ code: 'ERR_LOCK_DEADLOCK' })
    expect([lock.held, lock.mode, other.held, gate?.held]).toEqual([true, 'shared', true, true])
  })

  it('is not made for a waiter that does not stand in line', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const waiting = acquire(path, { fair: false })
    held.release()
    ;(await waiting).release()
    expect(statSync(`${path}.gate`, { throwIfNoEntry: false })).toBeUndefined()
  })
})

describe.each([true, false])(
  'a thread that locks in quick succession, in one call: %s',
  (inOneCall) => {
    it('looks for waiters every half millisecond, and each time after it had to wait', async () => {
      hand.inOneCall = inOneCall
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      const clock = vi.spyOn(performance, 'now')
      const takes = (time: number, which = path): boolean => {
        clock.mockReturnValue(time)
        const file = attempt(request(which), true)
        const took = file.mode !== null
        file.release()
        return took
      }
      expect(takes(1_000)).toBe(true)
      using gate = await tryAcquire(`${path}.gate`)
      using other = await tryAcquire(`${path}-2.gate`)
      expect([gate?.held, other?.held]).toEqual([true, true])
      // A waiter that came since is overtaken for half a millisecond at most.
      expect(takes(1_000.4)).toBe(true)
      expect(takes(1_000.5)).toBe(false)
      expect(takes(1_000.6)).toBe(false)
      gate?.release()
      expect(takes(1_000.7)).toBe(true)
      expect(takes(1_000.8, `${path}-2`)).toBe(false)
    })
  },
)
