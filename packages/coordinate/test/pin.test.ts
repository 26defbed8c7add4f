import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Free, Guard, ownership, pin, unpin } from '@howdah/coordinate'
import { until } from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { Arena } from './arena.ts'
import { watchdogKinds } from './locks-in-use.ts'

const program = fileURLToPath(new URL('server/server.mjs', import.meta.url))
const start = {}

describe('a pinned server', () => {
  test('is kept by everybody who leaves, until it is unpinned', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start })
    expect(await ownership(paths, subject)).toBe('ours')
    expect([await pin(paths, subject), await pin(paths, subject)]).toEqual([
      'modified',
      'unmodified',
    ])
    expect(await ownership(paths, subject)).toBe('pinned')
    expect(await guard.leave()).toBe('kept')
    const again = await Guard.join(subject, paths, { start, atEnd: 'destroy' })
    expect(again.started).toBe('unmodified')
    expect([await unpin(paths, subject), await unpin(paths, subject)]).toEqual([
      'modified',
      'unmodified',
    ])
    expect(await again.leave()).toBe('destroyed')
    await arena.deserted()
  })

  test('that is unpinned while nobody uses it is stopped at once', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start })
    await pin(paths, subject)
    expect(await guard.leave()).toBe('kept')
    expect(await unpin(paths, subject)).toBe('modified')
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('that ended is no longer pinned: the next one is stopped by leaving', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start })
    await pin(paths, subject)
    await arena.killServer()
    const next = await Guard.join(subject, paths, { start })
    expect(await ownership(paths, subject)).toBe('ours')
    expect(await guard.leave()).toBe('in-use')
    expect(await next.leave()).toBe('stopped')
  })

  test('is pinned and unpinned under change, and unpinned under use', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start })
    const hasty = { timeout: 0 }
    const change = { code: 'ERR_COORDINATE_TIMEOUT', path: paths.change }
    {
      using _ = await acquire(paths.change)
      await expect(pin(paths, subject, hasty)).rejects.toMatchObject(change)
    }
    await pin(paths, subject)
    {
      using _ = await acquire(paths.change)
      await expect(unpin(paths, subject, hasty)).rejects.toMatchObject(change)
    }
    expect(await guard.leave()).toBe('kept')
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    {
      // A watchdog that ends has its own lock no more, and use still.
      using _ = await acquire(paths.use)
      const use = { code: 'ERR_COORDINATE_TIMEOUT', path: paths.use }
      await expect(unpin(paths, subject, hasty)).rejects.toMatchObject(use)
    }
    expect(await ownership(paths, subject)).toBe('pinned')
    expect(await unpin(paths, subject)).toBe('modified')
    await arena.deserted()
  })

  test('has to run to be pinned', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    await (await Guard.join(subject, paths, { start })).leave()
    await expect(pin(paths, subject)).rejects.toMatchObject({ code: 'ERR_COORDINATE_NOT_RUNNING' })
    expect(await unpin(paths, subject)).toBe('unmodified')
    expect(await ownership(paths, subject)).toBe('none')
  })
})

describe('a server that is started to stay', () => {
  test('is pinned, and has neither user nor watchdog', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const free = new Free(subject, paths)
    expect([await free.start({ start }), await free.start({ start })]).toEqual([
      'modified',
      'unmodified',
    ])
    expect(await ownership(paths, subject)).toBe('pinned')
    expect(arena.involved().map(({ role }) => role)).toEqual(['server'])
    const user = arena.user()
    expect(await user.joined()).toBe('unmodified')
    expect(arena.has('watchdog')).toBe(false)
    expect(await user.leave()).toBe('kept')
    expect(await unpin(paths, subject)).toBe('modified')
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('may be running already, by its users', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const user = arena.user()
    await user.joined()
    expect(await new Free(subject, paths).start({ start })).toBe('unmodified')
    await user.kill()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(await ownership(paths, subject)).toBe('pinned')
  })

  test('can be joined as it is started, and is then kept', async () => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, { start, pinned: true })
    expect(arena.has('watchdog')).toBe(false)
    expect(await guard.leave()).toBe('kept')
    expect(await arena.subject.running()).toBe(true)
  })

  test('leaves nothing when it cannot be started', async () => {
    await using arena = new Arena()
    const free = new Free(arena.subject, arena.paths)
    await expect(free.start({ start: { fails: true } })).rejects.toThrow('does not like it')
    expect(arena.involved()).toEqual([])
    expect(existsSync(arena.paths.record)).toBe(false)
    expect(await free.start({ start })).toBe('modified')
  })

  test('is thrown away at the end, if it was made for that', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    expect(await new Free(subject, paths).start({ start, throwAway: true })).toBe('modified')
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(await subject.running()).toBe(true)
    await unpin(paths, subject)
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
  })
})

describe('a server that somebody else started', () => {
  test('is used, is never stopped by leaving, and gets no watchdog', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    // Made by us, with a record of an earlier server that crashed.
    const earlier = arena.user({})
    await earlier.joined()
    process.kill(arena.pid('watchdog'), 'SIGKILL')
    await arena.killServer()
    await earlier.kill()
    await until('all are gone', () => arena.involved().length === 0)
    expect(existsSync(paths.record)).toBe(true)

    const server = spawn(process.execPath, [program], { cwd: arena.directory, stdio: 'ignore' })
    await until('it runs', () => subject.running())
    const guard = await Guard.join(subject, paths, { start, atEnd: 'destroy' })
    expect(guard.started).toBe('unmodified')
    expect(await ownership(paths, subject)).toBe('foreign')
    expect(arena.has('watchdog')).toBe(false)
    expect([await pin(paths, subject), await unpin(paths, subject)]).toEqual([
      'unmodified',
      'unmodified',
    ])
    expect(await guard.leave()).toBe('kept')
    const killed = arena.user()
    await killed.joined()
    await killed.kill()
    expect(await subject.running()).toBe(true)
    server.kill('SIGINT')
    await once(server, 'exit')
  })

  test.each(watchdogKinds)(
    'keeps its ground, although it was to be thrown away (%s)',
    async (watchdog) => {
      await using arena = new Arena()
      const { subject, paths } = arena
      const user = arena.user({ throwAway: true, watchdog })
      await user.joined()
      await arena.killServer()
      const server = spawn(process.execPath, [program], { cwd: arena.directory, stdio: 'ignore' })
      await until('it runs', () => subject.running())
      await user.kill()
      await until('the watchdog is gone', () => !arena.has('watchdog'))
      expect(existsSync(paths.use)).toBe(true)
      expect(await subject.running()).toBe(true)

      // The next one to leave after it has ended throws it away.
      server.kill('SIGINT')
      await once(server, 'exit')
      expect(await (await Guard.join(subject, paths, { start })).leave()).toBe('destroyed')
      await arena.deserted()
    },
  )
})

describe('lingering', () => {
  test('the longest wish counts, and it is thrown away after that', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const first = await Guard.join(subject, paths, { start, linger: 200, throwAway: true })
    const second = await Guard.join(subject, paths, { start, linger: 600 })
    const third = await Guard.join(subject, paths, { start })
    expect(await second.leave()).toBe('in-use')
    expect(await first.leave()).toBe('in-use')
    const left = performance.now()
    expect(await third.leave()).toBe('kept')
    await arena.deserted()
    expect(performance.now() - left).toBeGreaterThan(600)
    expect(existsSync(arena.directory)).toBe(false)
  })

  test('who comes back meanwhile finds the same server, and it lingers anew', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    expect(await (await Guard.join(subject, paths, { start, linger: 400 })).leave()).toBe('kept')
    const again = await Guard.join(subject, paths, { start })
    expect(again.started).toBe('unmodified')
    const left = performance.now()
    expect(await again.leave()).toBe('kept')
    await arena.deserted()
    expect(performance.now() - left).toBeGreaterThan(400)
    expect(arena.count('start')).toBe(1)
  })

  test('who wants it destroyed does not let it linger', async () => {
    await using arena = new Arena()
    const options = { start, linger: 60_000, atEnd: 'destroy' } as const
    expect(await (await Guard.join(arena.subject, arena.paths, options)).leave()).toBe('destroyed')
    await arena.deserted()
  })
})
