import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { isOpenToOthers, postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { BundledTree } from '../src/install/bundled-tree.ts'
import { bundled, type Runtime } from '../src/index.ts'
import { packageCopy } from './package-copy.ts'

const newest = postgresPackage(18) ?? ''
const isRoot = process.geteuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const treesIn = (cacheDir: string) => readdirSync(`${cacheDir}/trees`)

function rootCases(): [string, (cacheDir: string, tree: string) => void][] {
  return [
    ['the cache belongs to another user', (cacheDir) => chownSync(cacheDir, 65_534, 65_534)],
    ['the tree belongs to another user', (_, tree) => chownSync(tree, 65_534, 65_534)],
    [
      'its server belongs to another user',
      (_, tree) => chownSync(`${tree}/bin/postgres`, 65_534, 65_534),
    ],
  ]
}

describe.skipIf(newest === '')('a planted tree is not run', () => {
  test.each<[string, (cacheDir: string, tree: string) => void]>([
    ['the cache can be written by its group', (cacheDir) => chmodSync(cacheDir, 0o775)],
    ['the trees can be written by all', (cacheDir) => chmodSync(`${cacheDir}/trees`, 0o777)],
    ['the tree can be written by all', (_, tree) => chmodSync(tree, 0o777)],
    ['its programs can be written by all', (_, tree) => chmodSync(`${tree}/bin`, 0o777)],
    ['its server can be written by all', (_, tree) => chmodSync(`${tree}/bin/postgres`, 0o777)],
    [
      'the tree is a link',
      (cacheDir, tree) => {
        renameSync(tree, `${cacheDir}/planted`)
        symlinkSync(`${cacheDir}/planted`, tree)
      },
    ],
    [
      'the cache is a link',
      (cacheDir) => {
        renameSync(cacheDir, `${cacheDir}-elsewhere`)
        symlinkSync(`${cacheDir}-elsewhere`, cacheDir)
      },
    ],
    ...(isRoot ? rootCases() : []),
  ])('if %s', async (_, plant) => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const strategy = bundled({ packages: [newest], cacheDir, serverUser: nobody })
    const { bindir } = (await strategy.fallback()) as Runtime
    plant(cacheDir, bindir.slice(0, -'/bin'.length))
    await expect(strategy.fallback()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    })
    expect(await strategy.runtimes()).toEqual([])
    expect(await strategy.diagnose()).toMatchObject([{ problem: 'untrusted' }])
  })
})

describe.skipIf(newest === '' || !isRoot)('when root starts servers as another user', () => {
  test('a package that this user cannot enter is copied completely, and runs', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('private'), { mode: 0o700 })
    const path = directory.file('private/package')
    cpSync(newest, path, { recursive: true, verbatimSymlinks: true })
    const cacheDir = directory.file('cache')
    const runtime = (await bundled({
      packages: [path],
      cacheDir,
      serverUser: nobody,
    }).fallback()) as Runtime
    expect(lstatSync(`${runtime.bindir}/../share`).isDirectory()).toBe(true)
    rmSync(path, { recursive: true })
    const { stdout } = await runtime.execute('initdb', ['--version'], { ...nobody, cwd: '/' })
    expect(stdout).toContain('18')
    const { exitCode } = await execa(
      'test',
      ['-r', `${runtime.bindir}/../share/postgresql/postgres.bki`],
      nobody,
    )
    expect(exitCode).toBe(0)
  })

  // What is linked to lies in this checkout, which has to be open to the server's user.
  test.runIf(isOpenToOthers(import.meta.url)).each([
    ['its owner', { uid: 65_534, gid: 1 }, 0o700, 'linked'],
    ['its group', { uid: 1, gid: 65_534 }, 0o750, 'linked'],
    ['another', { uid: 1, gid: 1 }, 0o750, 'copied'],
    ['its owner, who alone is shut out', { uid: 65_534, gid: 1 }, 0o077, 'copied'],
    ['root', { uid: 0, gid: 0 }, 0o000, 'linked'],
    ['a stranger', undefined, 0o750, 'copied'],
  ])(
    'below a private directory, %s: %o %o %s (needs an open checkout)',
    async (_, serverUser, mode, expected) => {
      using directory = temporaryDirectory()
      mkdirSync(directory.file('private'))
      const path = packageCopy(newest, directory.file('private/package'))
      chownSync(directory.file('private'), 65_534, 65_534)
      chmodSync(directory.file('private'), mode)
      const tree = BundledTree.of(path, { cacheDir: directory.file('cache'), serverUser })
      expect(tree.bindir).toContain(`-${expected}-`)
    },
  )

  test('a cache that this user cannot enter is refused', async () => {
    using directory = temporaryDirectory({ mode: 0o700 })
    const strategy = bundled({
      packages: [newest],
      cacheDir: directory.file('cache'),
      serverUser: nobody,
    })
    await expect(strategy.fallback()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNREACHABLE',
      path: directory.path,
      message: expect.stringContaining('user 65534 cannot run programs below'),
    })
    expect(treesIn(directory.file('cache'))).toEqual([])
  })
})
