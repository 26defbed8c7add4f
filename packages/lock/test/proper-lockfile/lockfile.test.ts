// @vitest-environment-options { "alone": "proper-lockfile/lockfile" }
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as lockfile from '../../src/proper-lockfile/index.ts'
import { Child } from '../support/child.ts'
import { code, directory, file, lockFile } from '../support/fresh-file.ts'

type LockOptions = lockfile.LockOptions
type UnlockOptions = lockfile.UnlockOptions
type CheckOptions = lockfile.CheckOptions

/** A symbolic link to the file. */
let link: string
const locked: (() => void)[] = []

/** Both ways to call, as one. */
const ways = {
  promises: {
    lock: async (path: string, options?: LockOptions) => lockfile.lock(path, options),
    unlock: async (path: string, options?: UnlockOptions) => lockfile.unlock(path, options),
    check: async (path: string, options?: CheckOptions) => lockfile.check(path, options),
  },
  sync: {
    lock: async (path: string, options?: LockOptions) => {
      const release = lockfile.lockSync(path, options)
      return async () => release()
    },
    unlock: async (path: string, options?: UnlockOptions) => lockfile.unlockSync(path, options),
    check: async (path: string, options?: CheckOptions) => lockfile.checkSync(path, options),
  },
}
const { lock, check } = ways.promises

beforeEach(() => {
  link = directory.file('link')
  fs.symlinkSync(file, link)
})

afterEach(() => {
  for (const release of locked.splice(0)) release()
})

/** Holds a lock until the test ends, or until it is released. */
async function hold(path: string, options?: LockOptions): Promise<() => Promise<void>> {
  const release = await lock(path, options)
  const tidy = (): void => void release().catch(() => undefined)
  locked.push(tidy)
  return release
}

describe('the exports', () => {
  const require = createRequire(import.meta.url)

  it('are those of proper-lockfile, and the default export can be called', async () => {
    const callable = lockfile.default
    expect(Object.keys(callable).toSorted()).toEqual(
      Object.keys(require('proper-lockfile')).toSorted(),
    )
    const { lock: locks, unlock, check: checks, lockSync, unlockSync, checkSync } = lockfile
    expect(Object.fromEntries(Object.entries(callable))).toEqual({
      lock: locks,
      unlock,
      check: checks,
      lockSync,
      unlockSync,
      checkSync,
    })
    expect(callable.lock).toBe(callable)
    const release = await callable(file)
    await release()
  })

  it('are what require() gives, as a function, too', () => {
    const required = require('@howdah/lock/proper-lockfile')
    expect(typeof required).toBe('function')
    required.lockSync(file)()
    expect(Object.keys(required)).toEqual(Object.keys(lockfile.default))
  })
})

describe.each(Object.entries(ways))('by %s', (_, way) => {
  it('a locked file is locked until it is released', async () => {
    expect(await way.check(file)).toBe(false)
    const release = await way.lock(file)
    expect(fs.lstatSync(lockFile).isFile()).toBe(true)
    expect(await way.check(file)).toBe(true)
    await expect(way.lock(file)).rejects.toEqual(expect.objectContaining({ code: 'ELOCKED', file }))
    await release()
    expect(await way.check(file)).toBe(false)
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
    await (
      await way.lock(file)
    )()
  })

  it('unlock releases by the name of the file', async () => {
    await way.lock(file)
    await way.unlock(file)
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
    await expect(way.unlock(file)).rejects.toEqual(code('ENOTACQUIRED'))
    await (
      await way.lock(file)
    )()
  })

  it('a second release, in whichever way, fails because the lock is not held', async () => {
    const release = await way.lock(file)
    await release()
    await expect(release()).rejects.toEqual(code('ERELEASED'))
    const unlocked = await way.lock(file)
    await way.unlock(file)
    await expect(unlocked()).rejects.toEqual(code('ERELEASED'))
  })

  it('releasing late does not release the lock of the next holder', async () => {
    const release = await way.lock(file)
    await way.unlock(file)
    const next = await way.lock(file)
    await expect(release()).rejects.toEqual(code('ERELEASED'))
    expect(await way.check(file)).toBe(true)
    await next()
  })

  it('a file and links to it share a lock', async () => {
    const release = await way.lock(link)
    await expect(way.lock(file)).rejects.toEqual(code('ELOCKED'))
    await expect(way.lock(link)).rejects.toEqual(code('ELOCKED'))
    expect([await way.check(file), await way.check(link)]).toEqual([true, true])
    await release()
    await way.lock(file)
    await way.unlock(link)
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
  })

  it('a link has a lock of its own with realpath: false', async () => {
    const options = { realpath: false }
    const release = await way.lock(link, options)
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link', 'link.lock'])
    expect([await way.check(link, options), await way.check(file, options)]).toEqual([true, false])
    const other = await way.lock(file, options)
    await other()
    await expect(way.unlock(file, options)).rejects.toEqual(code('ENOTACQUIRED'))
    await release()
  })

  it('a file has to exist, except with realpath: false', async () => {
    const missing = directory.file('missing')
    for (const call of [way.lock, way.unlock, way.check])
      await expect(call(missing)).rejects.toEqual(code('ENOENT'))
    const release = await way.lock(missing, { realpath: false })
    expect(await way.check(missing, { realpath: false })).toBe(true)
    await release()
    const nowhere = directory.file('missing/file')
    await expect(way.lock(nowhere, { realpath: false })).rejects.toEqual(code('ENOENT'))
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
  })

  it('the lock file can be elsewhere, such as inside of the directory that it guards', async () => {
    const guarded = directory.file('guarded')
    fs.mkdirSync(guarded)
    const options = { lockfilePath: directory.file('guarded/dir.lock') }
    const release = await way.lock(guarded, options)
    expect(fs.readdirSync(guarded)).toEqual(['dir.lock'])
    await expect(way.lock(guarded, options)).rejects.toEqual(code('ELOCKED'))
    expect(await way.check(guarded, options)).toBe(true)
    expect(await way.check(guarded)).toBe(false)
    await way.unlock(guarded, options)
    await expect(release()).rejects.toEqual(code('ERELEASED'))
    expect(fs.readdirSync(guarded)).toEqual([])
  })

  it('one file with two lock files has two locks, each released by its own', async () => {
    const other = { lockfilePath: directory.file('other.lock') }
    const first = await way.lock(file, other)
    const second = await way.lock(file)
    await first()
    expect([await way.check(file), await way.check(file, other)]).toEqual([true, false])
    await second()
  })

  it('asks the given file system for the real path', async () => {
    const refused = new Error('refused')
    const given = {
      ...fs,
      realpath: (_path: string, done: (error: Error, path: string) => void) => done(refused, ''),
      realpathSync: () => {
        throw refused
      },
    }
    for (const call of [way.lock, way.unlock, way.check])
      await expect(call(file, { fs: given })).rejects.toBe(refused)
  })

  it('says what is wrong with the directory, by the code of the system', async () => {
    const long = directory.file('x'.repeat(254))
    await expect(way.lock(long, { realpath: false })).rejects.toEqual(code('ENAMETOOLONG'))
    const inFile = directory.file('file/below')
    await expect(way.lock(inFile, { realpath: false })).rejects.toEqual(code('ENOTDIR'))
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
  })
})

describe('retries', () => {
  it.each([1, { retries: 1 }, { retries: 0, forever: true }, {}])(
    'take the lock as soon as it is released: %j',
    async (retries) => {
      const release = await hold(file)
      // The pause would be 1,000,000 s.
      const patient = typeof retries === 'number' ? retries : { minTimeout: 1e9, ...retries }
      const waiting = hold(file, { retries: patient })
      await new Promise(setImmediate)
      await release()
      await (
        await waiting
      )()
      expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
    },
  )

  it('give up when they are used up, or their time is', async () => {
    const release = await hold(file)
    const brief = { minTimeout: 1, maxTimeout: 1 }
    await expect(lock(file, { retries: { retries: 3, ...brief } })).rejects.toEqual(code('ELOCKED'))
    const endless = { retries: { forever: true, maxRetryTime: 5, ...brief } }
    await expect(lock(file, endless)).rejects.toEqual(code('ELOCKED'))
    await release()
  })

  it('help against any other error, too', async () => {
    const missing = directory.file('later/file')
    const options = { realpath: false, retries: { forever: true, minTimeout: 1, maxTimeout: 1 } }
    const waiting = lock(missing, options)
    fs.mkdirSync(directory.file('later'))
    const release = await waiting
    expect(await check(missing, options)).toBe(true)
    await release()
  })

  it('cannot be used synchronously', () => {
    for (const retries of [1, { retries: 1 }])
      expect(() => lockfile.lockSync(file, { retries })).toThrow(code('ESYNC'))
    for (const retries of [0, { retries: 0 }]) lockfile.lockSync(file, { retries })()
  })

  it('serve each of many waiters, one at a time', async () => {
    let inside = 0
    const retries = { forever: true, minTimeout: 1_000 }
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const release = await lock(file, { retries })
        inside += 1
        expect(inside).toBe(1)
        await new Promise(setImmediate)
        inside -= 1
        await release()
      }),
    )
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'link'])
  })
})

describe('a file of that name that is no lock', () => {
  /** The name is that of a lock file for `yarn`. */
  const precious = (): string => {
    fs.writeFileSync(lockFile, 'precious')
    const old = new Date(0)
    fs.utimesSync(lockFile, old, old)
    return lockFile
  }

  it('is neither taken for a lock nor written nor removed', async () => {
    const path = precious()
    await expect(lock(file)).rejects.toEqual(code('ENOTDIR'))
    expect(() => lockfile.lockSync(file)).toThrow(basename(path))
    expect(await check(file)).toBe(false)
    expect(fs.readFileSync(path, 'utf8')).toBe('precious')
    expect(fs.readdirSync(directory.path)).toEqual(['file', 'file.lock', 'link'])
  })

  it.each(['', 'precious'])(
    'is somebody’s lock while it is fresh, by its time: %j',
    async (text) => {
      fs.writeFileSync(lockFile, text)
      await expect(lock(file)).rejects.toEqual(code('ELOCKED'))
      expect(await check(file)).toBe(true)
      expect(fs.readFileSync(lockFile, 'utf8')).toBe(text)
    },
  )

  it('is left alone under the name of a draft, too', async () => {
    const seen = new Set<string>()
    const watcher = fs.watch(directory.path, (_, name) => seen.add(String(name)))
    const release = await hold(file)
    await release()
    await expect.poll(() => [...seen].some((name) => name.endsWith('.draft'))).toBe(true)
    watcher.close()
    const draft = directory.file([...seen].find((name) => name.endsWith('.draft'))!)
    fs.writeFileSync(draft, 'precious')
    await expect(lock(file)).rejects.toThrow(draft)
    expect(fs.readFileSync(draft, 'utf8')).toBe('precious')
    expect(fs.existsSync(lockFile)).toBe(false)
  })

  it('is not removed if it has replaced our lock file meanwhile, either', async () => {
    const release = await hold(file)
    fs.rmSync(lockFile)
    const path = precious()
    await release()
    expect(fs.readFileSync(path, 'utf8')).toBe('precious')
  })
})

describe('somebody who looks', () => {
  it('does not keep others from taking over the lock file of a dead process', async () => {
    await using child = Child.script(
      `import { checkSync } from '@howdah/lock/proper-lockfile'
      console.log('looking')
      process.stdin.resume().once('end', () => process.exit())
      const look = () => {
        for (let round = 0; round < 1_000; round++) checkSync(process.argv[1])
        setImmediate(look)
      }
      look()`,
      file,
    )
    await child.line()
    const release = lockfile.lockSync(file)
    const left = fs.readFileSync(lockFile)
    release()
    const takeOver = (): void => {
      for (let round = 0; round < 1_000; round++) {
        fs.writeFileSync(lockFile, left)
        lockfile.lockSync(file)()
      }
    }
    expect(takeOver).not.toThrow()
    child.finish()
    await child.success()
  })
})
