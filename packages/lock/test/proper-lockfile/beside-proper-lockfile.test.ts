// @vitest-environment-options { "alone": "proper-lockfile/beside-proper-lockfile" }
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import * as lockfile from '../../src/proper-lockfile/index.ts'
import { code, directory, file, lockFile } from '../support/fresh-file.ts'

const original: Pick<typeof lockfile, 'lock' | 'lockSync' | 'check' | 'checkSync'> = createRequire(
  import.meta.url,
)('proper-lockfile')
/** Makes a lock of proper-lockfile that was renewed so many ms ago. */
function leaveDirectory(age: number): void {
  fs.mkdirSync(lockFile)
  setTime(Date.now() - age)
}

function setTime(ms: number): void {
  fs.utimesSync(lockFile, new Date(ms), new Date(ms))
}

describe('while proper-lockfile holds a lock', () => {
  it('the file is locked, and the error names the directory', async () => {
    const release = await original.lock(file)
    await expect(lockfile.lock(file)).rejects.toThrow(/file\.lock is a directory .*proper-lockfile/)
    expect(() => lockfile.lockSync(file)).toThrow(code('ELOCKED'))
    expect([await lockfile.check(file), lockfile.checkSync(file)]).toEqual([true, true])
    await release()
    expect(await lockfile.check(file)).toBe(false)
    await (
      await lockfile.lock(file)
    )()
  })

  it('retries get the lock when it is released', async () => {
    const release = await original.lock(file)
    const waiting = lockfile.lock(file, {
      retries: { retries: 1_000, minTimeout: 5, maxTimeout: 5 },
    })
    await release()
    const next = await waiting
    expect(fs.statSync(lockFile).isFile()).toBe(true)
    await next()
  })
})

describe('while this package holds a lock', () => {
  it('proper-lockfile finds it locked, however long ago it was taken', async () => {
    const release = await lockfile.lock(file)
    const options = { stale: 2_000 }
    await expect(original.lock(file, options)).rejects.toEqual(code('ELOCKED'))
    expect([await original.check(file, options), original.checkSync(file)]).toEqual([true, true])
    await release()
    expect(original.checkSync(file)).toBe(false)
    await (
      await original.lock(file)
    )()
  })

  it('proper-lockfile cannot take it away, even if it looks stale', async () => {
    const release = await lockfile.lock(file)
    setTime(0)
    await expect(original.lock(file)).rejects.toEqual(code('ENOTDIR'))
    await expect(lockfile.lock(file)).rejects.toEqual(code('ELOCKED'))
    await release()
    await (
      await original.lock(file)
    )()
  })
})

describe('a lock that proper-lockfile has left behind', () => {
  it.each([
    [12_000, {}],
    [2_100, { stale: 100 }],
    [2_100, { stale: false as never }],
  ])('is removed when it is %d ms old, with %j', async (age, options) => {
    leaveDirectory(age)
    expect(await lockfile.check(file, options)).toBe(false)
    const release = await lockfile.lock(file, options)
    expect(fs.statSync(lockFile).isFile()).toBe(true)
    await release()
    expect(fs.readdirSync(directory.path)).toEqual(['file'])
  })

  it.each([
    [9_000, {}],
    [1_000, { stale: 100 }],
    [1_000, { stale: false as never }],
  ])('is a lock when it is %d ms old, with %j', async (age, options) => {
    leaveDirectory(age)
    expect(await lockfile.check(file, options)).toBe(true)
    await expect(lockfile.lock(file, options)).rejects.toEqual(code('ELOCKED'))
  })

  it('is looked at and removed by the given file system', async () => {
    leaveDirectory(12_000)
    const refused = new Error('refused')
    const stat = (_path: string, done: (error: Error, stats: fs.Stats) => void): void =>
      done(refused, undefined as never)
    const rmdir = (_path: string, done: (error: Error) => void): void => done(refused)
    await expect(lockfile.lock(file, { fs: { ...fs, stat } })).rejects.toBe(refused)
    await expect(lockfile.check(file, { fs: { ...fs, stat } })).rejects.toBe(refused)
    await expect(lockfile.lock(file, { fs: { ...fs, rmdir } })).rejects.toBe(refused)
    expect(fs.statSync(lockFile).isDirectory()).toBe(true)
  })

  it('may be gone when it is looked at, and come back: then there is exactly one more try', async () => {
    leaveDirectory(12_000)
    let looks = 0
    const missing = Object.assign(new Error('gone'), { code: 'ENOENT' })
    const stat = (_path: string, done: (error: Error, stats: fs.Stats) => void): void => {
      looks += 1
      done(missing, undefined as never)
    }
    await expect(lockfile.lock(file, { fs: { ...fs, stat } })).rejects.toEqual(code('ELOCKED'))
    expect(looks).toBe(1)
    const gone = (path: string, done: (error: Error, stats: fs.Stats) => void): void => {
      fs.rmdirSync(path)
      done(missing, undefined as never)
    }
    await (
      await lockfile.lock(file, { fs: { ...fs, stat: gone } })
    )()
  })

  it('is kept if there is anything in it', async () => {
    leaveDirectory(0)
    fs.writeFileSync(directory.file('file.lock/precious'), '')
    setTime(0)
    await expect(lockfile.lock(file)).rejects.toEqual(code('ENOTEMPTY'))
    expect(fs.readdirSync(lockFile)).toEqual(['precious'])
  })
})
