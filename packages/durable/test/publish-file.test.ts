// @vitest-environment-options { "alone": "publish-file" }
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type * as FileSystem from 'node:fs'
import { execFileSync } from 'node:child_process'
import { basename } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { publishFile } from '../src/index.ts'

/** The calls made so far, in order, and the call that is to fail. Every other call is a real one. */
const seen = vi.hoisted(() => ({ calls: [] as string[], failing: '', error: '' }))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const names = new Map<number, string>()
  const watch = (call: string, subject: string) => {
    seen.calls.push(`${call} ${subject}`)
    if (seen.failing !== `${call} ${subject}`) return
    throw Object.assign(new Error(`${seen.error}: made to fail`), { code: seen.error })
  }
  const short = (path: unknown) =>
    basename(String(path)).replace(/^\.file\.[0-9a-f]{16}\.tmp$/, 'temporary')
  return {
    ...real,
    openSync: (path: string, ...rest: [number, number]) => {
      watch('open', short(path))
      const fd = real.openSync(path, ...rest)
      names.set(fd, short(path))
      return fd
    },
    writeFileSync: (target: number | string, content: string) => {
      if (typeof target === 'number') watch('write', names.get(target) ?? '?')
      real.writeFileSync(target, content)
    },
    fsync: (fd: number, done: (error: Error | null) => void) => {
      try {
        watch('sync', names.get(fd) ?? '?')
        real.fsync(fd, done)
      } catch (error) {
        done(error as Error)
      }
    },
    closeSync: (fd: number) => {
      real.closeSync(fd)
      watch('close', names.get(fd) ?? '?')
    },
    renameSync: (from: string, to: string) => {
      watch('rename', short(from))
      real.renameSync(from, to)
    },
    linkSync: (from: string, to: string) => {
      watch('link', short(from))
      real.linkSync(from, to)
    },
  }
})

beforeEach(() => {
  seen.calls = []
  seen.failing = ''
})

describe('the order of the calls', () => {
  const upTo = (last: string) => [
    'open temporary',
    'write temporary',
    'sync temporary',
    'close temporary',
    last,
  ]
  const directorySync = ['open directory', 'sync directory', 'close directory']

  it.each([
    ['replaces by rename', { replace: true }, [...upTo('rename temporary'), ...directorySync]],
    ['makes by link', { replace: false }, [...upTo('link temporary'), ...directorySync]],
    [
      'syncs nothing without durable',
      { durable: false },
      ['open temporary', 'write temporary', 'close temporary', 'rename temporary'],
    ],
  ])('%s', async (_, options, calls) => {
    using place = temporaryDirectory()
    mkdirSync(place.file('directory'))
    await publishFile(place.file('directory', 'file'), 'new', options)
    expect(seen.calls).toEqual(calls)
    expect(readdirSync(place.file('directory'))).toEqual(['file'])
  })

  it.each([
    'open temporary',
    'write temporary',
    'sync temporary',
    'close temporary',
    'rename temporary',
  ])('leaves the old file and nothing else if it cannot %s', async (failing) => {
    using place = temporaryDirectory()
    writeFileSync(place.file('file'), 'old')
    Object.assign(seen, { failing, error: 'EIO' })
    await expect(publishFile(place.file('file'), 'new')).rejects.toMatchObject({ code: 'EIO' })
    expect(readFileSync(place.file('file'), 'utf8')).toBe('old')
    expect(readdirSync(place.path)).toEqual(['file'])
  })

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EACCES', 'EPERM'])(
    'forgives %s of a directory, which means that it cannot be synced',
    async (error) => {
      using place = temporaryDirectory()
      mkdirSync(place.file('directory'))
      Object.assign(seen, { failing: 'sync directory', error })
      await publishFile(place.file('directory', 'file'), 'new')
      expect(readFileSync(place.file('directory', 'file'), 'utf8')).toBe('new')
    },
  )

  it.each([
    ['sync directory', 'EIO'],
    ['open directory', 'EMFILE'],
    ['sync temporary', 'EINVAL'],
  ])('does not forgive it if it cannot %s for %s', async (failing, error) => {
    using place = temporaryDirectory()
    mkdirSync(place.file('directory'))
    Object.assign(seen, { failing, error })
    const published = publishFile(place.file('directory', 'file'), 'new')
    await expect(published).rejects.toMatchObject({ code: error })
  })
})

it('makes nothing if a file exists, without replace', async () => {
  using place = temporaryDirectory()
  writeFileSync(place.file('file'), 'old')
  const published = publishFile(place.file('file'), 'new', { replace: false })
  await expect(published).rejects.toMatchObject({ code: 'EEXIST' })
  expect(readdirSync(place.path)).toEqual(['file'])
  expect(readFileSync(place.file('file'), 'utf8')).toBe('old')
})

it('does not let the file appear if the check throws', async () => {
  using place = temporaryDirectory()
  const check = () => {
    throw new Error('not now')
  }
  await expect(publishFile(place.file('file'), 'new', { check })).rejects.toThrow('not now')
  expect(readdirSync(place.path)).toEqual([])
})

it.each([
  ['ELOOP', 'a symbolic link', (path: string) => symlinkSync('elsewhere', path)],
  ['EISDIR', 'a directory', (path: string) => mkdirSync(path)],
  ['ENXIO', 'a FIFO', (path: string) => execFileSync('mkfifo', [path])],
])('refuses with %s to replace %s', async (code, _, make) => {
  using place = temporaryDirectory()
  make(place.file('file'))
  const before = lstatSync(place.file('file')).ino
  await expect(publishFile(place.file('file'), 'new')).rejects.toMatchObject({ code })
  expect(lstatSync(place.file('file')).ino).toBe(before)
  expect(readdirSync(place.path)).toEqual(['file'])
})

it('publishes under the longest possible name', async () => {
  using place = temporaryDirectory()
  for (const name of ['x'.repeat(255), 'ü'.repeat(127), '🐘'.repeat(63)]) {
    await publishFile(place.file(name), name)
    expect(readFileSync(place.file(name), 'utf8')).toBe(name)
  }
})

describe('a replaced file keeps its attributes', () => {
  it.each([0o600, 0o640, 0o444, 0o4755, 0o666])(
    'mode %o, whatever the umask and the option',
    async (mode) => {
      using place = temporaryDirectory()
      writeFileSync(place.file('file'), 'old')
      chmodSync(place.file('file'), mode)
      await publishFile(place.file('file'), 'new', { mode: 0o700 })
      expect(statSync(place.file('file')).mode & 0o7777).toBe(mode)
    },
  )

  it.skipIf(process.geteuid?.() !== 0)(
    'set-id bits, which a write of an ordinary user drops (skipped as an ordinary user)',
    async () => {
      using place = temporaryDirectory({ mode: 0o777 })
      process.seteuid?.(4_321)
      try {
        writeFileSync(place.file('file'), 'old')
        chmodSync(place.file('file'), 0o4755)
        await publishFile(place.file('file'), 'new', { durable: false })
        expect(statSync(place.file('file')).mode & 0o7777).toBe(0o4755)
      } finally {
        process.seteuid?.(0)
      }
    },
  )

  it.skipIf(process.geteuid?.() !== 0)(
    'owner and group, for root (skipped as an ordinary user)',
    async () => {
      using place = temporaryDirectory()
      writeFileSync(place.file('file'), 'old')
      chownSync(place.file('file'), 12_345, 23_456)
      await publishFile(place.file('file'), 'new')
      expect(statSync(place.file('file'))).toMatchObject({ uid: 12_345, gid: 23_456 })
    },
  )

  it('a new file has the mode of the option, whatever the umask', async () => {
    using place = temporaryDirectory()
    await publishFile(place.file('file'), 'new', { mode: 0o666 })
    expect(statSync(place.file('file')).mode & 0o777).toBe(0o666)
  })
})
