import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { existingTrustedDirectory, trustedDirectory } from '../src/index.ts'

const isRoot = process.geteuid?.() === 0
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

test('it is made, with all above it, whatever the umask is', async () => {
  using directory = temporaryDirectory()
  const umask = process.umask(0o077)
  try {
    const path = await trustedDirectory(directory.file('a', 'b'), 'c', 'd')
    expect(path).toBe(directory.file('a', 'b', 'c', 'd'))
    const mode = isRoot ? '755' : '700'
    for (const made of ['a', 'a/b', 'a/b/c', 'a/b/c/d'])
      expect(modeOf(directory.file(made))).toBe(mode)
    expect(await existingTrustedDirectory(directory.file('a', 'b'), 'c', 'd')).toBe(path)
  } finally {
    process.umask(umask)
  }
})

test('it can be made by many at once', async () => {
  using directory = temporaryDirectory()
  const path = directory.file('a', 'b', 'c')
  const made = await Promise.all(Array.from({ length: 20 }, () => trustedDirectory(path)))
  expect(new Set(made)).toEqual(new Set([path]))
})

test('one that is only looked for is not made', async () => {
  using directory = temporaryDirectory()
  expect(await existingTrustedDirectory(directory.file('a'), 'b')).toBeNull()
  expect(existsSync(directory.file('a'))).toBe(false)
})

test('links above it are followed, and what is behind them is checked', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('real'), { mode: 0o755 })
  symlinkSync('real', directory.file('link'))
  expect(await trustedDirectory(directory.file('link/cache'))).toBe(directory.file('real/cache'))
  chmodSync(directory.file('real'), 0o777)
  await expect(trustedDirectory(directory.file('link/cache'))).rejects.toMatchObject({
    code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    path: directory.file('real'),
    remedy: `chmod go-w ${directory.file('real')}`,
  })
})

test('below a sticky directory that all can write, such as /tmp, it is fine', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('tmp'))
  chmodSync(directory.file('tmp'), 0o1777)
  expect(await trustedDirectory(directory.file('tmp/cache'))).toBe(directory.file('tmp/cache'))
})

describe('it is refused', () => {
  type Case = [string, (file: (name: string) => string) => string, RegExp]
  const table: Case[] = [
    [
      'when its group can write it',
      (file) => {
        mkdirSync(file('cache'))
        chmodSync(file('cache'), 0o775)
        return file('cache')
      },
      /group \d+ can write it; chmod go-w/,
    ],
    [
      'when everybody can write it, though it is sticky',
      (file) => {
        mkdirSync(file('cache'))
        chmodSync(file('cache'), 0o1777)
        return file('cache')
      },
      /everybody can write it/,
    ],
    [
      'when one above it can be written',
      (file) => {
        mkdirSync(file('cache/inner'), { recursive: true })
        chmodSync(file('cache'), 0o777)
        return file('cache/inner')
      },
      /cache are not trusted: everybody can write it/,
    ],
    [
      'when it is a link',
      (file) => {
        mkdirSync(file('real'))
        symlinkSync('real', file('cache'))
        return file('cache')
      },
      /it is a symbolic link to real/,
    ],
    [
      'when it is a file',
      (file) => {
        writeFileSync(file('cache'), '')
        return file('cache')
      },
      /it is no directory/,
    ],
    [
      'when links go round',
      (file) => {
        symlinkSync('b', file('a'))
        symlinkSync('a', file('b'))
        return file('a/cache')
      },
      /go round/,
    ],
  ]
  const rootTable: Case[] = [
    [
      'when it belongs to another user',
      (file) => {
        mkdirSync(file('cache'))
        chownSync(file('cache'), 65_534, 65_534)
        return file('cache')
      },
      /it belongs to user 65534; remove it, or chown it to us/,
    ],
    [
      'when one above it belongs to another user',
      (file) => {
        mkdirSync(file('home/cache'), { recursive: true })
        chownSync(file('home'), 65_534, 65_534)
        return file('home/cache')
      },
      /home are not trusted: it belongs to user 65534, who can replace what is in it/,
    ],
  ]
  test.each([...table, ...(isRoot ? rootTable : [])])('%s', async (_, make, message) => {
    using directory = temporaryDirectory()
    const path = make((name) => directory.file(name))
    const refused = {
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
      message: expect.stringMatching(message),
    }
    await expect(trustedDirectory(path)).rejects.toMatchObject(refused)
    await expect(existingTrustedDirectory(path)).rejects.toMatchObject(refused)
  })

  test('when a directory inside that would be trusted is a link, though its target is ours', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('elsewhere'))
    mkdirSync(directory.file('cache'))
    symlinkSync('../elsewhere', directory.file('cache/trees'))
    await expect(trustedDirectory(directory.file('cache'), 'trees')).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
      path: directory.file('cache/trees'),
    })
  })
})

test('what cannot be made is said, with what to do', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('file'), '')
  const path = directory.file('file/cache')
  await expect(trustedDirectory(path)).rejects.toMatchObject({
    code: 'ERR_RUNTIME_CACHE_DIRECTORY',
    path,
    message: expect.stringContaining('set HOWDAH_CACHE_DIR to a directory that can be written'),
  })
})
