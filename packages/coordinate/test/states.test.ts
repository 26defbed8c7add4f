import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Free } from '@howdah/coordinate'
import { until } from '@howdah/fixtures'
import { readRecord } from '../src/record/record.ts'
import { Arena } from './arena.ts'
import { isLinux } from './locks-in-use.ts'

const start = {}

/** What is said of this process as a user, if the system tells. */
const saidOfUs = isLinux
  ? {
      users: [{ pid: process.pid, command: expect.stringContaining('node') }],
      message: expect.stringContaining(`in use by pid ${process.pid}`),
    }
  : {}

describe('the states of the lock', () => {
  test('free → shared → free', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const shared = await free.join({ start })
    expect(shared.started).toBe('modified')
    expect(await shared.running()).toBe(true)
    expect(await shared.leave()).toBe('stopped')
    expect(await free.running()).toBe(false)
  })

  test('nobody has for himself what somebody uses, and it says who that is', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    await using shared = await free.join({ start })
    expect(shared.started).toBe('modified')
    expect(await free.tryChange()).toBeNull()
    await expect(free.change({ timeout: 50 })).rejects.toMatchObject({
      code: 'ERR_COORDINATE_IN_USE',
      ...saidOfUs,
    })
  })

  test('who waits to have it for himself lets others join and leave, and gets it then', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const first = await free.join({ start })
    const waits: string[] = []
    const waiting = free.change({ onWait: (wait) => waits.push(wait.for) })
    await until('it waits', () => waits.includes('use'))
    const second = await free.join({ start })
    expect(second.started).toBe('unmodified')
    expect(await first.leave()).toBe('in-use')
    expect(await second.leave()).toBe('stopped')
    const exclusive = await waiting
    expect(await exclusive.running()).toBe(false)
    exclusive.release()
  })

  test('shared → exclusive → shared keeps the server of the only user', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const shared = await free.join({ start })
    const exclusive = await shared.tryExclusive()
    expect(exclusive).not.toBeNull()
    const before = arena.pid('server')
    expect(await exclusive?.restart({ start })).toBe('modified')
    expect(arena.pid('server')).not.toBe(before)
    expect(await exclusive?.reconfigure(async (subject) => subject.running())).toBe(true)
    const again = exclusive?.share({ start })
    expect(await again?.running()).toBe(true)
    expect(await again?.leave()).toBe('stopped')
    await arena.deserted()
  })

  test('a restart keeps what was wished for the server: to stay, and for how long to linger', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    await free.start({ start, linger: 60_000 })
    const before = readRecord(arena.paths)
    const exclusive = await free.tryChange()
    await exclusive?.restart({ start, linger: 1000 })
    expect(readRecord(arena.paths)).toMatchObject({ pinned: true, linger: 60_000 })
    expect(readRecord(arena.paths)?.process.pid).not.toBe(before?.process.pid)
    await exclusive?.stop()
    exclusive?.release()
    await arena.deserted()
  })

  test('with others about, shared stays shared', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const shared = await free.join({ start })
    const other = await free.join({ start })
    expect(await shared.tryExclusive()).toBeNull()
    expect(await shared.tryExclusive()).toBeNull()
    expect(await other.leave()).toBe('in-use')
    expect(await shared.leave()).toBe('stopped')
    expect(arena.count('start')).toBe(1)
  })

  test('exclusive creates, starts, stops and destroys', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const exclusive = await free.tryChange()
    expect(await exclusive?.exists()).toBe(false)
    expect(await exclusive?.create({ start })).toBe('modified')
    expect(await exclusive?.create({ start })).toBe('unmodified')
    expect(await exclusive?.start({ start })).toBe('modified')
    expect(await exclusive?.start({ start })).toBe('unmodified')
    expect(await exclusive?.stop()).toBe('modified')
    expect(await exclusive?.stop()).toBe('unmodified')
    expect(await exclusive?.destroy()).toBe('modified')
    expect(existsSync(arena.directory)).toBe(false)
    await arena.deserted()
  })

  test('a server that is started and released without a user is stopped by the watchdog', async () => {
    await using arena = new Arena()
    const exclusive = await new Free(arena.subject, arena.paths).tryChange()
    await exclusive?.start({ start })
    exclusive?.release()
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('by force it is taken although it is used', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const user = arena.user()
    await user.joined()
    const exclusive = await free.change({ force: true })
    expect(await exclusive.destroy()).toBe('modified')
    await until('the user has noticed', () => user.lost)
    expect(await user.leave()).toBe('kept')
    await arena.deserted()
  })

  test('what has to exist is not made for a change either', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const missing = { code: 'ERR_COORDINATE_DOES_NOT_EXIST' }
    await expect(free.tryChange({ ifExists: true })).rejects.toMatchObject(missing)
    await expect(free.change({ ifExists: true })).rejects.toMatchObject(missing)
    expect(existsSync(arena.directory)).toBe(false)
  })
})

describe('a handle that is used up', () => {
  test('says so, and disposing it does nothing', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    const shared = await free.join({ start })
    const exclusive = await shared.tryExclusive()
    const usedUp = { code: 'ERR_COORDINATE_USED_UP' }
    await expect(shared.leave()).rejects.toThrow(
      'Shared.leave() needs a handle that is still held, and this one was used up by tryExclusive(); join again',
    )
    await shared[Symbol.asyncDispose]()
    expect(await arena.subject.running()).toBe(true)
    const again = exclusive?.share({ start })
    await expect(exclusive?.stop()).rejects.toMatchObject(usedUp)
    expect(() => exclusive?.release()).toThrow('used up by share()')
    await exclusive?.[Symbol.asyncDispose]()
    expect(await again?.leave()).toBe('stopped')
    await expect(again?.tryExclusive()).rejects.toMatchObject(usedUp)
  })
})
