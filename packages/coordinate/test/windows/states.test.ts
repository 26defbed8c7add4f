// @vitest-environment-options { "alone": "windows/states" }
import { acquire, tryAcquire, type Lock } from '@howdah/lock'
import { linuxOnly, until } from '@howdah/fixtures'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Conversion from '../../src/joining/convert-to-exclusive.ts'
import { Free } from '../../src/joining/states.ts'
import { Guard } from '../../src/watchdog/guard.ts'
import { readRecord } from '../../src/record/record.ts'
import { Arena } from '../arena.ts'
import { isFree } from '../locks-in-use.ts'

const start = {}

/** The other watchdog is a program, which only the built package has, and this mocks the sources. */
const shell = linuxOnly('a watchdog that is a shell')

/** What happens instead of the conversion of the use lock; the real one unless a test says otherwise. */
const seen = vi.hoisted(() => ({ convert: null as ((use: Lock) => boolean) | null }))

vi.mock('../../src/joining/convert-to-exclusive.ts', async (original) => {
  const real = await original<typeof Conversion>()
  return { convertToExclusive: (use: Lock) => (seen.convert ?? real.convertToExclusive)(use) }
})

beforeEach(() => {
  seen.convert = null
})

const freeIn = ({ subject, paths }: Arena) => new Free(subject, paths)

/** Whether nobody has change or use. */
async function areFree({ paths }: Arena): Promise<boolean[]> {
  return [await isFree(paths.change), await isFree(paths.use)]
}

describe('a shared user that cannot be the only one', shell, () => {
  test('still uses the server if its lock was lost to a watchdog meanwhile, which had stopped it', async () => {
    await using arena = new Arena()
    const shared = await freeIn(arena).join({ start })
    const before = arena.pid('server')
    const nobody = new Int32Array(new SharedArrayBuffer(4))
    seen.convert = (use) => {
      use.release()
      // The watchdog gets the lock, and stops the server before this thread goes on.
      while (arena.has('server')) Atomics.wait(nobody, 0, 0, 5)
      return false
    }
    expect(await shared.tryExclusive()).toBeNull()
    expect(await shared.running()).toBe(true)
    expect(arena.pid('server')).not.toBe(before)
    expect(await isFree(arena.paths.change)).toBe(true)
    expect(await shared.leave()).toBe('stopped')
    await arena.deserted()
    expect(arena.count('gone')).toBe(2)
  })

  test('is a shared user all the same if it has waited for change in vain', async () => {
    await using arena = new Arena()
    const shared = await freeIn(arena).join({ start })
    const change = await acquire(arena.paths.change)
    await expect(shared.tryExclusive({ timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
    })
    change.release()
    expect(await shared.running()).toBe(true)
    expect(await shared.leave()).toBe('stopped')
  })

  test('is a shared user all the same if the try fails, and keeps nobody from change', async () => {
    await using arena = new Arena()
    const shared = await freeIn(arena).join({ start })
    seen.convert = () => {
      throw new Error('made to fail')
    }
    await expect(shared.tryExclusive()).rejects.toThrow('made to fail')
    expect(await isFree(arena.paths.change)).toBe(true)
    expect(await shared.leave()).toBe('stopped')
  })
})

describe('the only user', shell, () => {
  test('of a server whose watchdog was killed has it watched again; if that fails, it has no lock', async () => {
    await using arena = new Arena()
    const user = arena.user()
    await user.joined()
    process.kill(arena.pid('watchdog'), 'SIGKILL')
    await until('the watchdog is dead', () => !arena.has('watchdog'))
    await user.kill()
    expect(await arena.subject.running()).toBe(true)
    const unwatched = new Free(arena.subject, { ...arena.paths, shell: '/bin/false' })
    await expect(unwatched.tryChange({ watchdog: 'sh' })).rejects.toMatchObject({
      code: 'ERR_COORDINATE_WATCHDOG',
    })
    expect(await areFree(arena)).toEqual([true, true])

    const exclusive = await freeIn(arena).tryChange()
    expect([arena.has('server'), arena.has('watchdog')]).toEqual([true, true])
    exclusive?.release()
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('keeps everybody out of what it has made, and gives change to what it runs', async () => {
    await using arena = new Arena()
    const { paths } = arena
    const exclusive = await freeIn(arena).tryChange()
    await exclusive?.create({ start })
    expect(await areFree(arena)).toEqual([false, false])
    expect(await tryAcquire(paths.use, { mode: 'shared' })).toBeNull()
    const told = await exclusive?.reconfigure(async (subject, change) => [
      await subject.exists(),
      change.held,
      change.path,
    ])
    expect(told).toEqual([true, true, paths.change])
    exclusive?.release()
    expect(await areFree(arena)).toEqual([true, true])
  })

  test('who stops a server that was killed keeps its record, and removes that of one that it stops', async () => {
    await using arena = new Arena()
    const exclusive = await freeIn(arena).tryChange()
    await exclusive?.start({ start })
    await arena.killServer()
    expect(await exclusive?.stop()).toBe('unmodified')
    expect(readRecord(arena.paths)).not.toBeNull()
    await exclusive?.start({ start })
    expect(await exclusive?.stop()).toBe('modified')
    expect(readRecord(arena.paths)).toBeNull()
    exclusive?.release()
  })

  test('restarts a server as it was wished, or more of it', async () => {
    await using arena = new Arena()
    const free = freeIn(arena)
    await free.start({ start, perishes: true, linger: 1_000 })
    const exclusive = await free.tryChange()
    await exclusive?.restart({ start, linger: 2_000 })
    expect(readRecord(arena.paths)).toMatchObject({ pinned: true, perishes: true, linger: 2_000 })
    await exclusive?.stop()
    await exclusive?.start({ start })
    expect(readRecord(arena.paths)).toMatchObject({ pinned: false, perishes: false })
    await exclusive?.restart({ start, pinned: true, perishes: true })
    expect(readRecord(arena.paths)).toMatchObject({ pinned: true, perishes: true })
    await exclusive?.stop()
    exclusive?.release()
    await arena.deserted()
  })

  test('who cannot destroy it has no lock any more, and the watchdog stops the server', async () => {
    await using arena = new Arena()
    const subject = {
      ...arena.subject,
      destroy: async () => {
        throw new Error('made to fail')
      },
    }
    const exclusive = await new Free(subject, arena.paths).tryChange()
    await exclusive?.start({ start })
    await expect(exclusive?.destroy()).rejects.toThrow('made to fail')
    await expect(exclusive?.stop()).rejects.toMatchObject({ code: 'ERR_COORDINATE_USED_UP' })
    await arena.deserted()
    expect(await areFree(arena)).toEqual([true, true])
    expect(arena.count('gone')).toBe(1)
  })

  test('of nothing cannot share it, and is still the only one', async () => {
    await using arena = new Arena()
    const free = freeIn(arena)
    const exclusive = await free.tryChange()
    expect(() => exclusive?.share({ start })).toThrow(
      expect.objectContaining({ code: 'ERR_COORDINATE_DOES_NOT_EXIST' }),
    )
    expect(await isFree(arena.paths.change)).toBe(false)
    exclusive?.release()
    expect(await isFree(arena.paths.change)).toBe(true)
  })

  test.each(['using', 'await using'])('lets go at the end of its block (%s)', async (way) => {
    await using arena = new Arena()
    const free = freeIn(arena)
    {
      using exclusive = way === 'using' ? await free.change() : null
      await using other = way === 'using' ? null : await free.change()
      expect(await (exclusive ?? other)?.exists()).toBe(false)
      expect(await isFree(arena.paths.change)).toBe(false)
    }
    expect(await isFree(arena.paths.change)).toBe(true)
  })
})

describe('a wait to be the only user', shell, () => {
  test('ends with the reason of the signal, and the others go on', async () => {
    await using arena = new Arena()
    const free = freeIn(arena)
    const shared = await free.join({ start })
    const controller = new AbortController()
    const waiting = free.change({
      signal: controller.signal,
      onWait: () => controller.abort(new Error('enough')),
    })
    await expect(waiting).rejects.toThrow('enough')
    expect(await shared.leave()).toBe('stopped')
  })
})

describe('a guard', shell, () => {
  test('is left once, and as the one who leaves wishes rather than as the one who joined did', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start, atEnd: 'destroy' })
    expect(guard.started).toBe('modified')
    const leaving = guard.leave({ atEnd: 'stop' })
    expect(guard.leave()).toBe(leaving)
    expect(await leaving).toBe('stopped')
    expect(await subject.exists()).toBe(true)
    {
      await using next = await Guard.join(subject, paths, { start, atEnd: 'destroy' })
      expect(next.started).toBe('modified')
    }
    expect(await subject.exists()).toBe(false)
  })
})
