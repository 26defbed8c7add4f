// @vitest-environment-options { "alone": "windows/own-thread" }
import { symlinkSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { beforeEach, describe, expect, it } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, acquireSync, tryAcquire } from '../../src/index.ts'
import { Child } from '../support/child.ts'

// Opening, locking and checking are calls of their own, as with fs-ext.
beforeEach(() => {
  hand.inOneCall = false
})

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe('acquireSync', () => {
  it.each(['directory', 'alias'])(
    'overtakes a waiter of its own thread that has the gate and cannot go on, named by the %s',
    async (parent) => {
      using directory = temporaryDirectory()
      symlinkSync('.', directory.file('alias'))
      const path = directory.file('lock')
      await using holder = Child.node('hold', path)
      await holder.line()
      const waiting = acquire(path)
      await until('the waiter has the gate', async () => {
        const gate = await tryAcquire(`${path}.gate`)
        gate?.release()
        return gate === null
      })
      const name = parent === 'alias' ? directory.file('alias', 'lock') : path
      const onWait = (): void => void holder.process.kill('SIGKILL')
      acquireSync(name, { timeout: 10_000, onWait }).release()
      using lock = await waiting
      expect(lock.held).toBe(true)
    },
  )

  it('of a path that leads nowhere says so, although others wait in its thread', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const waiting = acquire(path)
    const calling = (): unknown => acquireSync(directory.file('missing', 'lock'))
    expect(calling).toThrow(code('ERR_LOCK_NOT_FOUND'))
    held.release()
    ;(await waiting).release()
  })

  it('stands in line while somebody has the gate', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path, { mode: 'shared', fair: false })
    using gate = await acquire(`${path}.gate`, { fair: false })
    expect(() => acquireSync(path, { mode: 'shared', timeout: 5 })).toThrow(
      code('ERR_LOCK_TIMEOUT'),
    )
    gate.release()
    using lock = acquireSync(path, { mode: 'shared', timeout: 5 })
    expect([held.held, lock.held]).toEqual([true, true])
  })

  it.each([
    ['exclusive', 'exclusive'],
    ['exclusive', 'shared'],
    ['shared', 'exclusive'],
  ] as const)('that wants it %s is told that its own thread has it %s', async (wanted, has) => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path, { mode: has })
    const calling = (): unknown => acquireSync(path, { mode: wanted, timeout: 5_000 })
    expect(calling).toThrow(code('ERR_LOCK_DEADLOCK'))
    expect(held.held).toBe(true)
    held.release()
    acquireSync(path, { mode: wanted, timeout: 0 }).release()
  })

  it('waits for the lock of another process, although this thread has another lock', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using holder = Child.node('hold', path)
    await holder.line()
    using other = await acquire(directory.file('other'))
    const onWait = (): void => void holder.process.kill('SIGKILL')
    using lock = acquireSync(path, { mode: 'shared', timeout: 10_000, onWait })
    expect([other.held, lock.held]).toEqual([true, true])
  })
})
