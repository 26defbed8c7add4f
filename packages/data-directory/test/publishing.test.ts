// @vitest-environment-options { "alone": "publishing" }
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type * as FileSystem from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { reachableSocketDirectory, TemplateCache, writeOwnFile } from '../src/index.ts'

/** What is written, brought to disk and named, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as string[],
  failing: '',
  note(call: string): void {
    seen.calls.push(call)
    if (seen.failing !== '' && `${call} `.startsWith(`${seen.failing} `)) {
      throw Object.assign(new Error('made to fail'), { code: 'EIO' })
    }
  },
}))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const fsync = (fd: number, done: (error: Error | null) => void): void => {
    try {
      const path = real.readlinkSync(`/proc/self/fd/${fd}`)
      seen.note(`sync ${basename(path)} of ${real.fstatSync(fd).size} bytes`)
      real.fsync(fd, done)
    } catch (error) {
      setImmediate(() => done(error as Error))
    }
  }
  return { ...real, fsync }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  return {
    ...real,
    rename: async (from: string, to: string) => {
      seen.note(`rename ${basename(from)} ${basename(to)}`)
      await real.rename(from, to)
    },
    rm: async (path: string, options: object) => {
      seen.note(`remove ${basename(path)}`)
      await real.rm(path, options)
    },
  }
})

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory()
  Object.assign(seen, { calls: [], failing: '' })
})

afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

const traced = linuxOnly('/proc/self/fd, by which descriptors tell their paths')
const asRoot = process.geteuid?.() === 0
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, closed: null, notice: null }

describe('a file of howdah in a data directory', traced, () => {
  test('is not synced if it need not survive a crash of the machine', async () => {
    await writeOwnFile(home.file('file'), 'content', null, { durable: false })
    expect(seen.calls).toEqual(['remove file.tmp', 'rename file.tmp file'])
    expect(readFileSync(home.file('file'), 'utf8')).toBe('content')
  })

  test('has its name when it is whole and on disk', async () => {
    await writeOwnFile(home.file('file'), 'content', null)
    expect(seen.calls).toEqual([
      'remove file.tmp',
      'sync file.tmp of 7 bytes',
      'rename file.tmp file',
    ])
    expect(readFileSync(home.file('file'), 'utf8')).toBe('content')
    expect(lstatSync(home.file('file')).mode & 0o777).toBe(0o600)
  })

  test.each(['sync file.tmp of 7 bytes', 'rename file.tmp file'])(
    'stays as it was if the disk fails at: %s',
    async (failing) => {
      writeFileSync(home.file('file'), 'old')
      seen.failing = failing
      await expect(writeOwnFile(home.file('file'), 'content', null)).rejects.toThrow('made to fail')
      expect(readdirSync(home.path)).toEqual(['file'])
      expect(readFileSync(home.file('file'), 'utf8')).toBe('old')
    },
  )

  test('is never written through a link that is planted in the place of the unfinished one', async () => {
    writeFileSync(home.file('precious'), 'precious')
    symlinkSync(home.file('precious'), home.file('file.tmp'))
    await writeOwnFile(home.file('file'), 'content', null)
    expect(readFileSync(home.file('precious'), 'utf8')).toBe('precious')
    expect(lstatSync(home.file('file')).isFile()).toBe(true)
  })

  test.runIf(asRoot)('is the server’s, and is not made in a directory that is not', async () => {
    mkdirSync(home.file('data'))
    const refused = writeOwnFile(home.file('data', 'file'), 'content', nobody)
    await expect(refused).rejects.toThrow('another user (uid 0)')
    expect(readdirSync(home.file('data'))).toEqual([])
    chownSync(home.file('data'), nobody.uid, nobody.gid)
    await writeOwnFile(home.file('data', 'file'), 'content', nobody)
    expect(lstatSync(home.file('data', 'file'))).toMatchObject({
      uid: nobody.uid,
      gid: nobody.gid,
    })
  })
})

describe('a template', traced, () => {
  // Of another machine, for which it is never stale.
  const about = { version: '18.0', bindir: '/bin', server: '1', initdb: '2', machine: 'another' }
  const key = { name: '18.0-key', about }
  const [temporary, kept] = ['18.0-key.tmp', '18.0-key.template']

  beforeEach(() => {
    vi.stubEnv('HOWDAH_CACHE_DIR', home.file('cache'))
    mkdirSync(home.file('made', 'base'), { recursive: true })
    writeFileSync(home.file('made', 'base', 'file'), 'content')
  })

  const inCache = () => readdirSync(home.file('cache', 'templates'))

  test('has its name when it is whole and on disk', async () => {
    const cache = await TemplateCache.open()
    await cache.keep(key, home.file('made'), undefined)
    const { size, mode } = lstatSync(home.file('cache', 'templates', kept))
    expect(seen.calls).toEqual([
      `remove ${temporary}`,
      `sync ${temporary} of ${size} bytes`,
      `rename ${temporary} ${kept}`,
    ])
    expect(mode & 0o777).toBe(0o600)
    expect(await cache.list()).toMatchObject([{ version: '18.0', size, stale: false }])
  })

  test('takes the place of what a killed one has left, and follows no link that is planted there', async () => {
    const cache = await TemplateCache.open()
    writeFileSync(home.file('precious'), 'precious')
    symlinkSync(home.file('precious'), home.file('cache', 'templates', temporary))
    await cache.keep(key, home.file('made'), undefined)
    expect(readFileSync(home.file('precious'), 'utf8')).toBe('precious')
    expect(inCache()).toEqual([kept])
  })

  test.each(['sync', 'rename'])(
    'is none, or the one that was, if the disk fails at: %s',
    async (failing) => {
      const cache = await TemplateCache.open()
      const fails = async () => {
        await expect(cache.keep(key, home.file('made'), undefined)).rejects.toThrow('made to fail')
      }
      seen.failing = failing
      await fails()
      expect(inCache()).toEqual([])
      seen.failing = ''
      await cache.keep(key, home.file('made'), undefined)
      const { ino } = lstatSync(home.file('cache', 'templates', kept))
      seen.failing = failing
      await fails()
      expect(inCache()).toEqual([kept])
      expect(lstatSync(home.file('cache', 'templates', kept)).ino).toBe(ino)
    },
  )

  test.runIf(asRoot)('is made of nothing that is another user’s (root only)', async () => {
    const cache = await TemplateCache.open()
    chownSync(home.file('made', 'base', 'file'), nobody.uid, nobody.gid)
    await expect(cache.keep(key, home.file('made'), undefined)).rejects.toThrow('not a plain file')
    expect(inCache()).toEqual([])
  })
})

describe('the way to a socket', traced, () => {
  const port = 5432
  /** `sun_path` has 108 bytes, and ends with a NUL. */
  const longest = 107 - '/.s.PGSQL.5432'.length
  const ofLength = (length: number) => `/${'x'.repeat(length - 1)}`

  beforeEach(() => vi.stubEnv('TMPDIR', home.path))

  test('is its directory if that fits, and has no comma', async () => {
    expect(await reachableSocketDirectory('/d', ofLength(longest), port)).toBe(ofLength(longest))
    for (const directory of [ofLength(longest + 1), '/a,b', `/${'ä'.repeat(47)}`]) {
      const link = await reachableSocketDirectory('/d', directory, port)
      expect(readlinkSync(link)).toBe(directory)
      expect(dirname(dirname(link))).toBe(home.path)
      expect(lstatSync(dirname(link)).mode & 0o777).toBe(0o700)
    }
  })

  test('is a link of its own for each directory, which appears whole, and is made anew if it leads elsewhere', async () => {
    const link = await reachableSocketDirectory('/d', '/a,b', port)
    expect(await reachableSocketDirectory('/d', '/a,c', port)).not.toBe(link)
    seen.calls = []
    expect(await reachableSocketDirectory('/d', '/a,b', port)).toBe(link)
    expect(seen.calls).toEqual([])
    const { rm } = await vi.importActual<typeof Promises>('node:fs/promises')
    await rm(link)
    symlinkSync('/elsewhere', link)
    const temporary = `${basename(link)}.${process.pid}`
    symlinkSync('/left/by/one/that/was/killed', `${link}.${process.pid}`)
    expect(await reachableSocketDirectory('/d', '/a,b', port)).toBe(link)
    expect(readlinkSync(link)).toBe('/a,b')
    expect(seen.calls).toEqual([`remove ${temporary}`, `rename ${temporary} ${basename(link)}`])
  })

  test('is not a link where others can write, or that another has made', async () => {
    const directory = dirname(await reachableSocketDirectory('/d', '/a,b', port))
    chmodSync(directory, 0o777)
    await reachableSocketDirectory('/d', '/a,b', port)
    expect(lstatSync(directory).mode & 0o777).toBe(0o700)
    const { rm } = await vi.importActual<typeof Promises>('node:fs/promises')
    await rm(directory, { recursive: true })
    const refusal = { code: 'ERR_CLUSTER_PERMISSION', path: directory }
    symlinkSync(home.path, directory)
    await expect(reachableSocketDirectory('/d', '/a,b', port)).rejects.toMatchObject(refusal)
  })

  test.runIf(asRoot)('is not a link in a directory of another user', async () => {
    const directory = dirname(await reachableSocketDirectory('/d', '/a,b', port))
    chownSync(directory, nobody.uid, nobody.gid)
    const refused = reachableSocketDirectory('/d', '/a,b', port)
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CLUSTER_PERMISSION' })
  })
})
