import { spawn } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { type Paths, type WatchdogKind, Free, Guard, pin, unpin } from '@howdah/coordinate'
import { identifyProcess } from '@howdah/lock'
import { killed, linuxOnly, temporaryDirectory, until } from '@howdah/fixtures'
import { Arena } from './arena.ts'
import { pathsOf, type ServerOptions, subjectIn } from './server/directory-subject.mjs'
import { hasOneHolder, isFree, numberOfUsers, told, watchdogKinds } from './locks-in-use.ts'

/** How a server comes to run. */
interface How {
  readonly lingers?: boolean
  readonly stays?: boolean
  readonly pinned?: boolean
}

/** Every watchdog there is has to keep the same laws. Of the further shells, one by chance is tested, or all of them. */
const watchdogs: { name: string; watchdog: WatchdogKind; shell: string }[] = [
  { name: 'the system shell', watchdog: 'sh' as const, shell: '/bin/sh' },
  ...oneOf([...shells('bash', found('bash')), ...shells('busybox', busyboxShell())]),
  { name: 'Node', watchdog: 'node' as const, shell: '/bin/sh' },
].filter(({ watchdog }) => watchdogKinds.includes(watchdog))

// Most of the time they wait for watchdogs, which look now and then.
describe.concurrent.each(watchdogs)('watched by $name', ({ watchdog, shell }) => {
  const changes: Partial<Paths> = { shell }
  const options = { watchdog }

  test('a server whose users are all killed is stopped, in its orderly way', async () => {
    await using arena = new Arena(changes)
    const both = [arena.user(options), arena.user(options)]
    await Promise.all(both.map((user) => user.joined()))
    await both[0]?.kill()
    expect(await arena.subject.running()).toBe(true)
    await both[1]?.kill()
    await arena.deserted()
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone'])
    expect(existsSync(arena.paths.record)).toBe(false)
    expect(existsSync(arena.paths.use)).toBe(true)
  })

  test(
    'a server that stands still when it is to stop is told to quit, and one that works is not',
    linuxOnly('/proc, which tells what processes do'),
    async () => {
      const stopped = async (start: object): Promise<string[]> => {
        await using arena = new Arena(changes)
        const user = arena.user({ ...options, start: { stillness: 1000, ...start } })
        await user.joined()
        await user.kill()
        await arena.deserted()
        return arena.events().map(([what]) => what)
      }
      const ends = [stopped({ slowStop: 600_000 }), stopped({ busyStop: 2500 })]
      expect(await Promise.all(ends)).toEqual([
        ['start', 'stop'],
        ['start', 'stop', 'gone'],
      ])
    },
  )

  test('who joins while it stops the server waits, and starts a fresh one', async () => {
    await using arena = new Arena(changes)
    const first = arena.user({ ...options, start: { slowStop: 2000 } })
    await first.joined()
    await first.kill()
    await until('the server is being stopped', () => arena.count('stop') === 1)
    const waits: string[] = []
    await using guard = await Guard.join(arena.subject, arena.paths, {
      ...options,
      start: {},
      onWait: (wait) => waits.push(wait.for),
    })
    expect(guard.started).toBe('modified')
    expect(waits).toContain('use')
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone', 'start'])
  })

  test('a process that joins after it was killed starts another', async () => {
    await using arena = new Arena(changes)
    const first = arena.user(options)
    await first.joined()
    const old = arena.pid('watchdog')
    process.kill(old, 'SIGKILL')
    await until('its lock is free', () => isFree(arena.paths.watchdog))
    const second = arena.user(options)
    expect(await second.joined()).toBe('unmodified')
    await until('one has the lock', () => hasOneHolder(arena.paths.watchdog))
    await first.kill()
    await second.kill()
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('there is one, however many join', async () => {
    await using arena = new Arena(changes)
    const all = [arena.user(options), arena.user(options), arena.user(options)]
    await Promise.all(all.map((user) => user.joined()))
    expect(await numberOfUsers(arena.paths)).toBe(told(3))
    await until('one has the lock', () => hasOneHolder(arena.paths.watchdog))
  })

  test('it removes what was made to be thrown away, hidden files too', async () => {
    await using arena = new Arena(changes)
    const user = arena.user({ ...options, throwAway: true })
    await user.joined()
    await user.kill()
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
    expect(arena.count('gone')).toBe(1)
  })

  test('it ends a removal that was killed half-way', async () => {
    await using arena = new Arena(changes)
    const user = arena.user({ ...options, throwAway: true, dieAt: 'destroyed-half' })
    await user.joined()
    user.child.stdin?.write('leave\n')
    await user.ended
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
  })

  test('it keeps a lingering server for the time, and then stops it', async () => {
    await using arena = new Arena(changes)
    const user = arena.user({ ...options, linger: 2000 })
    await user.joined()
    await user.kill()
    const again = await Guard.join(arena.subject, arena.paths, { ...options, start: {} })
    expect(again.started).toBe('unmodified')
    expect(await again.leave()).toBe('kept')
    await arena.deserted()
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone'])
  })

  test('it does not linger for a server that was stopped meanwhile', async () => {
    await using arena = new Arena(changes)
    const lingering = { ...options, start: {}, linger: 60_000 }
    const guard = await Guard.join(arena.subject, arena.paths, lingering)
    expect(await guard.leave()).toBe('kept')
    await arena.killServer()
    await arena.deserted()
  })

  test('it does not linger for what was destroyed meanwhile', async () => {
    await using arena = new Arena(changes)
    const lingering = { ...options, start: {}, linger: 60_000 }
    const guard = await Guard.join(arena.subject, arena.paths, lingering)
    expect(await guard.leave()).toBe('kept')
    const destroying = { ...options, start: {}, atEnd: 'destroy' } as const
    const other = await Guard.join(arena.subject, arena.paths, destroying)
    expect(await other.leave()).toBe('destroyed')
    await arena.deserted()
  })

  test('it leaves a pinned server alone, and ends', async () => {
    await using arena = new Arena(changes)
    const user = arena.user(options)
    await user.joined()
    expect(await pin(arena.paths, arena.subject)).toBe('modified')
    await user.kill()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(await arena.subject.running()).toBe(true)
    expect(await unpin(arena.paths, arena.subject, { watchdog })).toBe('modified')
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test.each([
    ['is used', {}],
    ['is pinned', { stays: true }],
    ['is used and pinned', { pinned: true }],
    ['was found running', { lingers: true }],
  ])(
    'a server that perishes with its files ends when they are removed, though it %s',
    async (_, how: How) => {
      await using arena = new Arena(changes)
      const leave = await serve(arena, { ...options, start: {} }, how)
      expect(arena.has('watchdog')).toBe(true)
      rmSync(arena.directory, { recursive: true })
      await until('the server is gone', () => !arena.has('server') && !arena.has('watchdog'))
      // It had no time for its orderly way.
      expect(arena.count('gone')).toBe(0)
      expect(await leave()).toBe('kept')
    },
  )

  test('a server that perishes with its files goes on when they are moved', async () => {
    await using arena = new Arena(changes)
    const leave = await serve(arena, { ...options, start: {} })
    expect(arena.has('server')).toBe(true)
    renameSync(arena.directory, `${arena.directory}-moved`)
    // For longer than it takes to see that it is gone.
    await sleep(1000)
    expect(arena.has('server')).toBe(true)
    renameSync(`${arena.directory}-moved`, arena.directory)
    expect(await leave()).toBe('stopped')
    await arena.deserted()
  })

  test.each(['record', 'use', 'watchdog'] as const)(
    'a pinned server ends with its files, though they are removed slowly and the %s file first',
    async (first) => {
      await using arena = new Arena(changes)
      await serve(arena, { ...options, start: {} }, { stays: true })
      // The Node watchdog has to have seen the record.
      await sleep(300)
      rmSync(arena.paths[first], { recursive: true })
      // For longer than it takes to see that.
      await sleep(1000)
      expect(arena.has('server')).toBe(true)
      rmSync(arena.directory, { recursive: true })
      await until('the server is gone', () => !arena.has('server') && !arena.has('watchdog'))
    },
  )

  test.each([
    ['is used', {}],
    ['is pinned', { stays: true }],
    ['is used and pinned', { pinned: true }],
    ['was found running', { lingers: true }],
  ])(
    'a server that perishes and is bound to its path is told to quit when it is moved, though it %s',
    async (_, how: How) => {
      await using arena = new Arena(changes)
      const start = { bound: true }
      const leave = await serve(arena, { ...options, start }, how)
      const left = [arena.pid('server'), arena.pid('watchdog')]
      renameSync(arena.directory, arena.beside('moved'))
      await until('the server is gone', () => left.every((pid) => identifyProcess(pid) === null))
      // Its orderly way would lead to its old path.
      expect(arena.count('stop')).toBe(0)
      expect(await leave()).toBe('kept')
      // It is started again where it is now.
      const moved = arena.beside('moved')
      const guard = await Guard.join(subjectIn(moved), pathsOf(moved), { start, watchdog })
      expect([guard.started, await guard.leave()]).toEqual(['modified', 'stopped'])
    },
  )

  test('a lingering server that is bound to its path is told to quit when it is moved', async () => {
    await using arena = new Arena(changes)
    const lingering = { ...options, start: { bound: true }, linger: 60_000 }
    const guard = await Guard.join(arena.subject, arena.paths, lingering)
    expect(await guard.leave()).toBe('kept')
    const left = [arena.pid('server'), arena.pid('watchdog')]
    renameSync(arena.directory, arena.beside('moved'))
    await until('the server is gone', () => left.every((pid) => identifyProcess(pid) === null))
    expect(arena.count('stop')).toBe(0)
  })

  test('a pinned server that perishes with its files can be stopped and started, and is watched again', async () => {
    await using arena = new Arena(changes)
    const { subject, paths } = arena
    const free = new Free(subject, paths)
    const pinned = { ...options, start: {}, perishes: true }
    expect(await free.start(pinned)).toBe('modified')
    const exclusive = await free.change(options)
    await exclusive.stop()
    exclusive.release()
    await using guard = await Guard.join(subject, paths, { ...options, start: {} })
    expect(guard.started).toBe('modified')
    expect(await hasOneHolder(paths.watchdog)).toBe(true)
    expect(await guard.leave()).toBe('stopped')
    await arena.deserted()
  })

  test('a record that names another process gets nobody signalled', async () => {
    await using arena = new Arena(changes)
    const user = arena.user(options)
    await user.joined()
    const record = readFileSync(arena.paths.record, 'utf8')
    writeFileSync(arena.paths.record, record.replace(/^start (.+)$/m, 'start 1$1'))
    await user.kill()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(arena.events().map(([what]) => what)).toEqual(['start'])
  })

  test('a recorded process that works elsewhere is not signalled', async () => {
    await using arena = new Arena(changes)
    const user = arena.user(options)
    await user.joined()
    using other = killed(spawn('sleep', ['600'], { cwd: '/' }))
    const identity = identifyProcess(other.pid ?? 0)
    const record = readFileSync(arena.paths.record, 'utf8')
      .replace(/^pid .*$/m, `pid ${identity?.pid}`)
      .replace(/^start .*$/m, `start ${identity?.startTime}`)
    expect(record).toContain('cwd here')
    writeFileSync(arena.paths.record, record)
    await user.kill()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(arena.events().map(([what]) => what)).toEqual(['start'])
    expect(other.signalCode).toBeNull()
  })
})

describe('a watchdog that cannot be started', () => {
  const isShell = linuxOnly('a watchdog that is a shell')

  test('is an error that says why, and then nothing is started', isShell, async () => {
    await using arena = new Arena({ shell: '/no/such/shell' })
    const joining = Guard.join(arena.subject, arena.paths, { start: {} })
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_COORDINATE_WATCHDOG',
      message: expect.stringContaining('/no/such/shell'),
    })
    expect(arena.count('start')).toBe(0)
    await arena.deserted()
  })
})

/** Has a server run that perishes with its files. Gives what lets go of it. */
async function serve(
  { subject, paths }: Arena,
  options: { readonly start: ServerOptions; readonly watchdog: WatchdogKind },
  { lingers = false, stays = false, pinned = false }: How = {},
): Promise<() => Promise<string>> {
  if (lingers) {
    const first = await Guard.join(subject, paths, { ...options, linger: 60_000 })
    await first.leave()
  }
  const all = { ...options, perishes: true, pinned }
  if (stays) {
    await new Free(subject, paths).start(all)
    return async () => 'kept'
  }
  const guard = await Guard.join(subject, paths, all)
  return async () => await guard.leave()
}

function oneOf<Value>(values: readonly Value[]): readonly Value[] {
  if (process.env['HOWDAH_TEST_LONG'] === '1' || values.length === 0) return values
  const at = Math.floor(Math.random() * values.length)
  return values.slice(at, at + 1)
}

/** A further shell, if there is one. */
function shells(name: string, shell: string | null): typeof watchdogs {
  return shell === null ? [] : [{ name, watchdog: 'sh', shell }]
}

function found(name: string): string | null {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  return (
    directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? null
  )
}

/** busybox is a shell when it is called so. */
function busyboxShell(): string | null {
  const busybox = found('busybox')
  if (busybox === null) return null
  const directory = temporaryDirectory()
  afterAll(() => directory[Symbol.dispose]())
  const shell = directory.file('sh')
  symlinkSync(busybox, shell)
  return shell
}
