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

test('it is made with all directories above it, whatever the umask is', async () => {
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

test('it can be made by many processes at once', async () => {
  using directory = temporaryDirectory()
  const path = directory.file('a', 'b', 'c')
  const made = await Promise.all(Array.from({ length: 20 }, () => trustedDirectory(path)))
  expect(new Set(made)).toEqual(new Set([path]))
})

test('looking for one makes nothing', async () => {
  using directory = temporaryDirectory()
  expect(await existingTrustedDirectory(directory.file('a'), 'b')).toBeNull()
  expect(existsSync(directory.file('a'))).toBe(false)
})

test('links above it are followed, and their targets are checked', async () => {
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

test('it may be below a sticky directory that all can write, such as /tmp', async () => {
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
      /it is not a directory/,
    ],
    [
      'when links form a loop',
      (file) => {
        symlinkSync('b', file('a'))
        symlinkSync('a', file('b'))
        return file('a/cache')
      },
      /form a loop/,
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
      /it belongs to user 65534; remove it, or chown it to user/,
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

  test('when a directory in it that would be trusted is a link, even to a directory of ours', async () => {
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

test('a file at its path is unchanged', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('cache'), '', { mode: 0o600 })
  await expect(trustedDirectory(directory.file('cache'))).rejects.toMatchObject({
    code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
  })
  expect(modeOf(directory.file('cache'))).toBe('600')
})

test('an existing directory keeps its mode', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('a/b'), { recursive: true })
  for (const path of ['a', 'a/b']) chmodSync(directory.file(path), 0o750)
  await trustedDirectory(directory.file('a', 'b'), 'c')
  expect(['a', 'a/b'].map((path) => modeOf(directory.file(path)))).toEqual(['750', '750'])
})

test.each([
  ['below a file', 'file/cache', 'ENOTDIR'],
  ['with a name that is too long', 'x'.repeat(256), 'ENAMETOOLONG'],
])('what cannot be made or looked at, %s, is said, with what to do', async (_, name, cause) => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('file'), '')
  const path = directory.file(name)
  const refused = {
    code: 'ERR_RUNTIME_CACHE_DIRECTORY',
    path,
    message: expect.stringContaining('set HOWDAH_CACHE_DIR to a directory that can be written'),
    cause: { code: cause },
  }
  await expect(trustedDirectory(path)).rejects.toMatchObject(refused)
  await expect(existingTrustedDirectory(path)).rejects.toMatchObject(refused)
})

test.runIf(existsSync('/proc/self'))('in /proc nothing can be made, which is said', async () => {
  const path = '/proc/nothing/deeper/cache'
  await expect(trustedDirectory(path)).rejects.toMatchObject({
    code: 'ERR_RUNTIME_CACHE_DIRECTORY',
    path,
    cause: { code: 'ENOENT' },
  })
  expect(await existingTrustedDirectory(path)).toBeNull()
})

/** Runs something as an ordinary user, which root can be for a while. */
async function asNobody<Result>(action: () => Promise<Result>): Promise<Result> {
  if (!isRoot) return action()
  process.seteuid?.(65_534)
  try {
    return await action()
  } finally {
    process.seteuid?.(0)
  }
}

describe('of an ordinary user', () => {
  test('it is closed to others, and lies below directories of root', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('home'), { mode: 0o755 })
    if (isRoot) chownSync(directory.file('home'), 65_534, 65_534)
    const path = await asNobody(() => trustedDirectory(directory.file('home', 'a'), 'b'))
    expect(path).toBe(directory.file('home', 'a', 'b'))
    for (const made of ['a', 'a/b']) expect(modeOf(directory.file('home', made))).toBe('700')
    expect(await asNobody(() => existingTrustedDirectory(path))).toBe(path)
  })

  test.runIf(isRoot)('it is not a directory that root has made there', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('cache'), { mode: 0o755 })
    await expect(asNobody(() => trustedDirectory(directory.file('cache')))).rejects.toMatchObject({
      code: 'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
      message: expect.stringMatching(/it belongs to user 0; .* chown it to user 65534/),
    })
  })

  test('if nothing can be made, there is an error', async () => {
    using directory = temporaryDirectory()
    chmodSync(directory.path, 0o555)
    const path = directory.file('cache')
    await expect(asNobody(() => trustedDirectory(path))).rejects.toMatchObject({
      code: 'ERR_RUNTIME_CACHE_DIRECTORY',
      path,
      cause: { code: 'EACCES' },
    })
    chmodSync(directory.path, 0o755)
  })
})
