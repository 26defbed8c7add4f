import { describe, expect, test } from 'vitest'
import { CoordinateError, Free, Guard, type Paths } from '@howdah/coordinate'
import { FakeSubject } from './fake-subject.ts'
import { Arena } from './arena.ts'

const good: Paths = {
  change: '/a/c',
  use: '/a/u',
  watchdog: '/a/w',
  server: '/a/s',
  record: '/a/r',
}
const throwAway = { mark: '/a/m', directory: '/a', wreck: '/a/x', last: '/a/u' }

describe('the paths of a subject', () => {
  test.each<[string, Paths]>([
    ['use must be an absolute path, and is "u"', { ...good, use: 'u' }],
    ['five different paths', { ...good, use: '/a/c' }],
    ['/ cannot be thrown away', { ...good, throwAway: { ...throwAway, directory: '/' } }],
    [
      'throwAway.mark must lie directly in /a',
      { ...good, throwAway: { ...throwAway, mark: '/b/m' } },
    ],
  ])('that cannot be right are refused: %s', async (message, paths) => {
    await using subject = FakeSubject.thatIs()
    expect(() => new Free(subject, paths)).toThrow(message)
    const joining = Guard.join(subject, paths, { start: undefined })
    await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_PATHS' })
  })

  test('that do not say what to throw away have nothing thrown away', async () => {
    await using subject = FakeSubject.thatIs()
    const joining = Guard.join(subject, subject.paths, { start: undefined, throwAway: true })
    await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_PATHS' })
    expect(subject.asked).toEqual([])
  })

  test('are refused on Windows, plainly', async () => {
    await using subject = FakeSubject.thatIs()
    const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {}
    Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
    try {
      expect(() => new Free(subject, good)).toThrow('Windows has no flock(2)')
    } finally {
      Object.defineProperty(process, 'platform', platform)
    }
  })
})

describe('an option', () => {
  test.each([{ timeout: -1 }, { timeout: Number.NaN }, { linger: -1 }, { linger: Infinity }])(
    'that means nothing is refused: %o',
    async (options) => {
      await using subject = FakeSubject.thatIs()
      const joining = Guard.join(subject, subject.paths, { start: undefined, ...options })
      await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_OPTION' })
      expect(subject.asked).toEqual([])
    },
  )
})

describe('launching', () => {
  test('a command that does not exist is an error with its name, and leaves nothing', async () => {
    await using arena = new Arena()
    const subject = Object.assign(Object.create(arena.subject) as typeof arena.subject, {
      start: async (_options: unknown, launch: Parameters<typeof arena.subject.start>[1]) => {
        await launch.spawn({
          command: '/no/such/server',
          args: [],
          cwd: arena.directory,
          env: {},
          signal: 'SIGINT',
          stdio: ['ignore', 'ignore', 'ignore'],
        })
        return 'modified' as const
      },
    })
    const failure = await Guard.join(subject, arena.paths, { start: {} }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(CoordinateError)
    expect(failure).toMatchObject({ code: 'ERR_COORDINATE_LAUNCH', command: '/no/such/server' })
    await arena.deserted()
  })
})
