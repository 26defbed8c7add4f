import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory, whereIs } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, lockedFile, tryAcquire } from '../src/index.ts'
import { Child } from './support/child.ts'

const increment = (old: string | null): string => String(Number(old ?? 0) + 1)
const append = (old: string | null): string => `${old ?? ''}x`

describe('lockedFile.read', () => {
  it('gives the content, and leaves the file and its times alone', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'content ü')
    utimesSync(path, 1_000_000, 1_000_000)
    expect(await lockedFile.read(path)).toBe('content ü')
    expect(statSync(path).mtimeMs).toBe(1_000_000_000)
    expect(readdirSync(directory.path)).toEqual(['file'])
  })

  it('reads a file that is longer than a buffer', async () => {
    using directory = temporaryDirectory()
    const content = 'äöü€'.repeat(100_000)
    writeFileSync(directory.file('file'), content)
    expect(await lockedFile.read(directory.file('file'))).toBe(content)
  })

  it('never makes a file', async () => {
    using directory = temporaryDirectory()
    const missing = lockedFile.read(directory.file('file'))
    await expect(missing).rejects.toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
      path: directory.file('file'),
    })
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('waits for a writer, and reads beside other readers', async ({ skip }) => {
    skip(whereIs('flock') === null, 'there is no flock(1)')
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    using reader = await acquire(path, { mode: 'shared' })
    expect(await lockedFile.read(path)).toBe('old')
    reader.release()
    // Another program locks the file and writes it in place, as Go's lockedfile does.
    await using writer = Child.command('flock', [
      path,
      'sh',
      '-c',
      `echo held; read line; printf new > ${path}`,
    ])
    await writer.line()
    const content = lockedFile.read(path)
    writer.tell('go on')
    expect(await content).toBe('new')
  })
})

describe('lockedFile.write', () => {
  it('makes a file, and replaces its content, with nothing left beside it', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await lockedFile.write(path, 'one')
    expect(readFileSync(path, 'utf8')).toBe('one')
    await lockedFile.write(path, 'two', { durable: false })
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(readdirSync(directory.path)).toEqual(['file'])
  })

  it('keeps the mode of a file, and gives a new file the given mode', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await lockedFile.write(path, 'secret', { mode: 0o600 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o640)
    await lockedFile.write(path, 'secret', { mode: 0o600 })
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('leaves the old file to processes that have it open and to its hard links', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    linkSync(path, directory.file('link'))
    await lockedFile.write(path, 'new')
    expect(readFileSync(directory.file('link'), 'utf8')).toBe('old')
  })

  it('removes the temporary file of a killed writer', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    writeFileSync(directory.file('.file.0123456789abcdef.tmp'), 'half writt')
    writeFileSync(directory.file('.file.howdah'), '.file.0123456789abcdef.tmp')
    await lockedFile.write(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(readdirSync(directory.path)).toEqual(['file'])
  })

  it.each(['file.tmp', '.file.tmp', '.file.0123456789abcdef.tmp', 'file.gate'])(
    'leaves a file of the user’s own alone: %s',
    async (name) => {
      using directory = temporaryDirectory()
      writeFileSync(directory.file(name), 'precious')
      await lockedFile.write(directory.file('file'), 'one')
      await lockedFile.write(directory.file('file'), 'two')
      expect(readFileSync(directory.file(name), 'utf8')).toBe('precious')
      expect(readdirSync(directory.path).toSorted()).toEqual([name, 'file'].toSorted())
    },
  )

  it('takes the longest possible name, and refuses a longer one as too long', async () => {
    using directory = temporaryDirectory()
    const name = 'x'.repeat(255)
    await lockedFile.write(directory.file(name), 'one')
    expect(await lockedFile.transform(directory.file(name), append)).toBe('onex')
    expect(readdirSync(directory.path)).toEqual([name])
    const tooLong = lockedFile.write(directory.file(`${name}x`), 'one')
    await expect(tooLong).rejects.toThrow(/too long; shorten it \(ENAMETOOLONG\)/)
  })

  it('keeps owner and group, as root (skipped as an ordinary user)', async (test) => {
    test.skip(process.geteuid?.() !== 0, 'only root gives files away')
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    chownSync(path, 12_345, 23_456)
    chmodSync(path, 0o4755)
    await lockedFile.write(path, 'new')
    const { uid, gid, mode } = statSync(path)
    expect([uid, gid, mode & 0o7777]).toEqual([12_345, 23_456, 0o4755])
  })

  it('keeps extended attributes (skipped without python3, GNU cp or such a file system)', async (test) => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    const attribute = (what: string) =>
      spawnSync('python3', ['-c', `import os,sys; p = sys.argv[1]; ${what}`, path], {
        encoding: 'utf8',
      })
    const set = attribute('os.setxattr(p, "user.colour", b"blue")')
    const { stdout } = spawnSync('cp', ['--version'], { encoding: 'utf8' })
    const isLacking = process.platform !== 'linux' || set.status !== 0 || !stdout.includes('GNU')
    test.skip(isLacking, 'needs Linux, GNU cp, python3 and a file system with extended attributes')
    await lockedFile.write(path, 'new')
    await lockedFile.write(path, 'newer')
    expect(attribute('print(os.getxattr(p, "user.colour").decode())').stdout).toBe('blue\n')
  })

  it('names the path that it cannot write, and then holds no lock', async () => {
    using directory = temporaryDirectory()
    const missing = directory.file('missing', 'file')
    await expect(lockedFile.write(missing, '')).rejects.toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
      path: missing,
    })
    mkdirSync(directory.file('directory'))
    await expect(lockedFile.write(directory.file('directory'), '')).rejects.toMatchObject({
      path: directory.file('directory'),
    })
    using free = await tryAcquire(directory.file('directory'))
    expect(free?.held).toBe(true)
    expect(readdirSync(directory.path)).toEqual(['directory'])
  })
})

describe('anything but a regular file is refused, with a cure, and left alone', () => {
  const kinds: [string, (path: string) => unknown, RegExp][] = [
    ['a symbolic link', (path) => symlinkSync('elsewhere', path), /link; give the path that it/],
    ['a directory', (path) => mkdirSync(path), /it is a directory; give the path of a file/],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), /special file; give the path of a file/],
    ['a socket', (path) => bindSocket(path), /special file; give the path of a file/],
  ]
  it.each(kinds)('%s', async (_, make, cure) => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    make(path)
    await expect(lockedFile.read(path)).rejects.toThrow(cure)
    await expect(lockedFile.write(path, 'new')).rejects.toThrow(cure)
    expect(readdirSync(directory.path)).toEqual(['file'])
    expect(lstatSync(path).isFile()).toBe(false)
  })

  it('a file that is mounted (skipped if this process may not mount)', async (test) => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    writeFileSync(path, 'old')
    const { status } = spawnSync('mount', ['--bind', path, path])
    test.skip(status !== 0, 'this process may not mount')
    try {
      const written = lockedFile.write(path, 'new')
      await expect(written).rejects.toThrow(/mount point.*mount its directory instead \(EBUSY\)/)
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(directory.path)).toEqual(['file'])
    } finally {
      execFileSync('umount', [path])
    }
  })
})

/** Leaves a socket at a path that nobody listens on. */
function bindSocket(path: string): void {
  const script =
    "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))"
  const { signal } = spawnSync(process.execPath, ['-e', script, path])
  expect(signal).toBe('SIGKILL')
}

describe('lockedFile.transform', () => {
  it('computes the new content from the old one, or from null if there is no file', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('counter')
    expect(await lockedFile.transform(path, increment)).toBe('1')
    expect(await lockedFile.transform(path, increment)).toBe('2')
    expect(readFileSync(path, 'utf8')).toBe('2')
  })

  it('changes nothing if the function gives null or throws, and does not make the file', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    expect(await lockedFile.transform(path, () => null)).toBeNull()
    const failure = new Error('no idea')
    await expect(lockedFile.transform(path, () => Promise.reject(failure))).rejects.toBe(failure)
    expect(readdirSync(directory.path)).toEqual([])
    writeFileSync(path, 'old')
    expect(await lockedFile.transform(path, () => null)).toBe('old')
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('loses nothing if many processes make the file at once', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    await Promise.all(
      Array.from({ length: 20 }, () => lockedFile.transform(path, append, { durable: false })),
    )
    expect(readFileSync(path, 'utf8')).toBe('x'.repeat(20))
    expect(readdirSync(directory.path)).toEqual(['file', 'file.gate'])
  })

  it('times out like any wait', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    using held = await acquire(path)
    expect(held.held).toBe(true)
    const late = lockedFile.transform(path, () => 'new', { timeout: 20 })
    await expect(late).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT', path })
  })
})

describe('lockedFile.edit', () => {
  it('reads and writes several times under one lock', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('file')
    {
      await using file = await lockedFile.edit(path, { durable: false })
      expect(await file.read()).toBeNull()
      await file.write('one')
      expect(await file.read()).toBe('one')
      expect(await tryAcquire(path)).toBeNull()
      await file.write('two')
      expect(await tryAcquire(path)).toBeNull()
      expect(await file.read()).toBe('two')
    }
    expect(readdirSync(directory.path)).toEqual(['file'])
    using free = await tryAcquire(path)
    expect(free?.held).toBe(true)
  })

  it('fails every call after its release', async () => {
    using directory = temporaryDirectory()
    const file = await lockedFile.edit(directory.file('file'))
    file.release()
    file.release()
    expect(file.held).toBe(false)
    await expect(file.read()).rejects.toMatchObject({ code: 'ERR_LOCK_RELEASED' })
    await expect(file.write('')).rejects.toMatchObject({ code: 'ERR_LOCK_RELEASED' })
    expect(readdirSync(directory.path)).toEqual([])
  })
})
