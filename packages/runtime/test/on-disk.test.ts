import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { join } from 'node:path'
import { postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, expect, test, vi } from 'vitest'
import { bundled, version } from '../src/index.ts'

/** What is brought to disk and named, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as [call: string, path: string][],
  failing: (_path: string): boolean => false,
}))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const fsync = (fd: number, done: (error: Error | null) => void): void => {
    const path = real.readlinkSync(`/proc/self/fd/${fd}`)
    seen.calls.push(['sync', path])
    if (seen.failing(path)) setImmediate(() => done(new Error('made to fail')))
    else real.fsync(fd, done)
  }
  return { ...real, fsync }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  const rename = async (from: string, to: string): Promise<void> => {
    seen.calls.push(['rename', from])
    await real.rename(from, to)
  }
  return { ...real, rename }
})

beforeEach(() => {
  seen.calls = []
  seen.failing = () => false
})

const newest = postgresPackage(18)
const why = newest === null ? ' (skipped: there is no package of PostgreSQL 18 here)' : ''

test.skipIf(newest === null)(
  `a tree appears when every file that it holds is on disk, and not if one cannot be${why}`,
  async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const strategy = bundled({ packages: [newest ?? ''], cacheDir })
    const trees = () =>
      readdirSync(directory.file('cache', 'trees')).filter((name) => !name.startsWith('.'))

    seen.failing = (path) => path.endsWith('/bin/postgres')
    const failed = await strategy.select(version(18)).catch((error: unknown) => error)
    expect(String(failed)).toContain('made to fail')
    expect(trees()).toEqual([])

    seen.calls = []
    seen.failing = () => false
    await strategy.select(version(18))
    const [tree = ''] = trees()
    const named = seen.calls.findIndex(
      ([call, path]) => call === 'rename' && path.endsWith('/tree'),
    )
    const staging = seen.calls[named]?.[1] ?? ''
    const synced = new Set(seen.calls.slice(0, named).map(([, path]) => path))
    const root = directory.file('cache', 'trees', tree)
    const files = readdirSync(root, { recursive: true })
      .map(String)
      // Not what is only linked to.
      .filter((name) => realpathSync(join(root, name)) === join(root, name))
      .filter((name) => lstatSync(join(root, name)).isFile())
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter((name) => !synced.has(join(staging, name)))).toEqual([])
  },
)
