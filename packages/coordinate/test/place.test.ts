import { describe, expect, test } from 'vitest'
import { CoordinateError, Free, Guard, type Place } from '@howdah/coordinate'
import { FakeSubject } from './fake-subject.ts'
import { Arena } from './arena.ts'

const good: Place = {
  change: '/a/c',
  use: '/a/u',
  watchdog: '/a/w',
  server: '/a/s',
  record: '/a/r',
}
const throwAway = { mark: '/a/m', directory: '/a', wreck: '/a/x', last: '/a/u' }

describe('a place', () => {
  test.each<[string, Place]>([
    ['use must be an absolute path, and is "u"', { ...good, use: 'u' }],
    ['five different paths', { ...good, use: '/a/c' }],
    ['/ cannot be thrown away', { ...good, throwAway: { ...throwAway, directory: '/' } }],
    [
      'throwAway.mark must lie directly in /a',
      { ...good, throwAway: { ...throwAway, mark: '/b/m' } },
    ],
  ])('that cannot be right is refused: %s', async (message, place) => {
    await using subject = FakeSubject.thatIs()
    expect(() => new Free(subject, place)).toThrow(message)
    const joining = Guard.join(subject, place, { start: undefined })
    await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_PLACE' })
  })

  test('that does not say what to throw away has nothing thrown away', async () => {
    await using subject = FakeSubject.thatIs()
    const joining = Guard.join(subject, subject.place, { start: undefined, throwAway: true })
    await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_PLACE' })
    expect(subject.asked).toEqual([])
  })

  test('is refused on Windows, plainly', async () => {
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
      const joining = Guard.join(subject, subject.place, { start: undefined, ...options })
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
    const failure = await Guard.join(subject, arena.place, { start: {} }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(CoordinateError)
    expect(failure).toMatchObject({ code: 'ERR_COORDINATE_LAUNCH', command: '/no/such/server' })
    await arena.deserted()
  })
})
