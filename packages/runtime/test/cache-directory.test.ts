import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, expect, test, vi } from 'vitest'
import { cacheDirectory } from '../src/index.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test.each([
  ['given', 1000, '/given', { HOWDAH_CACHE_DIR: '/variable' }, '/given'],
  [
    'by variable',
    1000,
    undefined,
    { HOWDAH_CACHE_DIR: '/variable', XDG_CACHE_HOME: '/xdg' },
    '/variable',
  ],
  ["by root's variable", 0, undefined, { HOWDAH_CACHE_DIR: '/variable' }, '/variable'],
  ["root's", 0, undefined, { XDG_CACHE_HOME: '/xdg', HOME: '/home/me' }, '/var/cache/howdah'],
  ["a user's, by XDG", 1000, undefined, { XDG_CACHE_HOME: '/xdg' }, '/xdg/howdah'],
  ["a user's who has no home", 1000, undefined, { HOME: '' }, '/var/tmp/howdah-cache-1000'],
  [
    "a user's whose home is none",
    1000,
    undefined,
    { HOME: '/dev/null' },
    '/var/tmp/howdah-cache-1000',
  ],
])('where the cache is: %s', (_, uid, given, variables, path) => {
  vi.spyOn(process, 'geteuid').mockReturnValue(uid)
  for (const name of ['HOWDAH_CACHE_DIR', 'XDG_CACHE_HOME']) vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  expect(cacheDirectory(given)).toBe(path)
})

test("where the cache is: in a user's home, also if XDG names a relative directory", () => {
  using home = temporaryDirectory()
  vi.spyOn(process, 'geteuid').mockReturnValue(1000)
  vi.stubEnv('HOWDAH_CACHE_DIR', undefined)
  vi.stubEnv('HOME', home.file('not', 'yet'))
  for (const xdg of [undefined, 'xdg']) {
    vi.stubEnv('XDG_CACHE_HOME', xdg)
    expect(cacheDirectory()).toBe(home.file('not/yet/.cache/howdah'))
  }
})
