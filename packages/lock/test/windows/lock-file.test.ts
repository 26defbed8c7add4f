// @vitest-environment-options { "alone": "windows/lock-file" }
import {
  chmodSync,
  chownSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { flockBinding, tryAcquire } from '../../src/index.ts'
import { LockFile, type Opening } from '../../src/lock-file.ts'
import { LOCK_EX, LOCK_SH, LOCK_UN } from '../support/scripted-binding.ts'

const isRoot = process.geteuid?.() === 0
const hasNative = flockBinding().name === 'native'
const ways = hasNative ? [true, false] : [false]
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

let directory: TemporaryDirectory
let path: string

beforeEach(({ skip }) => {
  skip(process.platform !== 'linux', 'only Linux tells what is open')
  directory = temporaryDirectory()
  path = directory.file('lock')
})
afterEach(() => directory[Symbol.dispose]())

const open = (opening: Partial<Opening> = {}): LockFile =>
  LockFile.open({ path, create: true, ...opening })

/** How many files below the directory this process has open. */
function openNow(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory.path)
    } catch {
      return false
    }
  }).length
}

/** Opens the file as an ordinary user; root can switch to one for a while. */
function asNobody<Result>(action: () => Result): Result {
  process.seteuid?.(65_534)
  try {
    return action()
  } finally {
    process.seteuid?.(0)
  }
}

describe.each(ways)('a lock file that is opened, by the addon: %s,', (inOneCall) => {
  beforeEach(() => {
    hand.inOneCall = inOneCall
  })

  it('is made with its permissions, less the umask, unless it is not to be made', () => {
    expect(() => open({ create: false })).toThrow(code('ERR_LOCK_NOT_FOUND'))
    open({ permissions: 0o640 }).close()
    expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask())
    rmSync(path)
    open().close()
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask())
    expect(openNow()).toBe(0)
  })

  it('is refused with onlyNew if it exists', () => {
    open({ onlyNew: true }).close()
    expect(() => open({ onlyNew: true })).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'EEXIST' }) }),
    )
    open().close()
    expect(openNow()).toBe(0)
  })

  it('says whether it is a directory, which is remembered, and found through links', () => {
    mkdirSync(path)
    symlinkSync('lock', directory.file('link'))
    for (const name of ['lock', 'link']) {
      const opening: Opening = { path: directory.file(name), create: true }
      const file = LockFile.open(opening)
      expect([file.isDirectory, opening.directory]).toEqual([true, true])
      expect(file.ino).toBe(statSync(path, { bigint: true }).ino)
      expect(file.isCurrent()).toBe(true)
      file.close()
    }
    const opening: Opening = { path: directory.file('file'), create: true }
    const file = LockFile.open(opening)
    expect([file.isDirectory, opening.directory]).toEqual([false, undefined])
    file.close()
    expect(openNow()).toBe(0)
  })

  it('is a directory or nothing, if a directory is asked for', () => {
    writeFileSync(path, '')
    expect(() => open({ directory: true })).toThrow(code('ERR_LOCK_NOT_FOUND'))
    expect(() => open({ path: directory.file('none'), directory: true })).toThrow(
      code('ERR_LOCK_NOT_FOUND'),
    )
    expect(readdirSync(directory.path)).toEqual(['lock'])
  })

  it.each(['elsewhere', 'none', 'link'])('is not a link to %s', (target) => {
    writeFileSync(directory.file('elsewhere'), '')
    symlinkSync(target, directory.file('link'))
    expect(() => open({ path: directory.file('link') })).toThrow(code('ERR_LOCK_SYMLINK'))
    expect(openNow()).toBe(0)
  })

  it('can be written unless it is to be read only', () => {
    const written = open()
    const read = open({ readOnly: true })
    const canWrite = (file: LockFile): boolean => {
      try {
        writeFileSync(file.fd, 'x')
        return true
      } catch {
        return false
      }
    }
    expect([canWrite(written), canWrite(read)]).toEqual([true, false])
    for (const file of [written, read]) file.close()
  })

  it.runIf(isRoot)(
    'is opened for reading if this user may not write it, and refused if this user may not read it',
    () => {
      chmodSync(directory.path, 0o755)
      writeFileSync(path, '')
      chmodSync(path, 0o444)
      const file = asNobody(() => open())
      expect(file.tryLock('exclusive')).toBe(true)
      file.release()
      chmodSync(path, 0o400)
      expect(() => asNobody(() => open())).toThrow(code('ERR_LOCK_PERMISSION'))
      expect(() => asNobody(() => open({ readOnly: true }))).toThrow(code('ERR_LOCK_PERMISSION'))
      mkdirSync(directory.file('shut'), { mode: 0o700 })
      expect(() => asNobody(() => open({ path: directory.file('shut') }))).toThrow(
        code('ERR_LOCK_PERMISSION'),
      )
      expect(openNow()).toBe(0)
    },
  )

  it.runIf(isRoot)('may be a directory that this user may not write', () => {
    mkdirSync(path, { mode: 0o755 })
    chmodSync(directory.path, 0o755)
    const file = asNobody(() => open())
    expect(file.isDirectory).toBe(true)
    file.close()
    chownSync(path, 65_534, 65_534)
  })
})

describe.each(ways)('a lock file that is open, by the addon: %s,', (inOneCall) => {
  beforeEach(() => {
    hand.inOneCall = inOneCall
  })

  it('tells whether the path still leads to it', () => {
    const file = open()
    expect(file.isCurrent()).toBe(true)
    renameSync(path, directory.file('elsewhere'))
    expect(file.isCurrent()).toBe(false)
    writeFileSync(path, '')
    expect(file.isCurrent()).toBe(false)
    unlinkSync(path)
    symlinkSync('elsewhere', path)
    expect(file.isCurrent()).toBe(false)
    unlinkSync(path)
    renameSync(directory.file('elsewhere'), path)
    expect(file.isCurrent()).toBe(true)
    file.close()
  })

  it('that is a directory tells so, also by a link', () => {
    mkdirSync(directory.file('data'))
    symlinkSync('data', path)
    const file = open()
    expect(file.isCurrent()).toBe(true)
    renameSync(directory.file('data'), directory.file('elsewhere'))
    expect(file.isCurrent()).toBe(false)
    mkdirSync(directory.file('data'))
    expect(file.isCurrent()).toBe(false)
    file.close()
  })

  it('is not current if its path leads through a file', () => {
    mkdirSync(directory.file('above'))
    const file = open({ path: directory.file('above', 'lock') })
    rmSync(directory.file('above'), { recursive: true })
    writeFileSync(directory.file('above'), '')
    expect(file.isCurrent()).toBe(false)
    file.close()
  })

  it('knows the mode that it holds, which is none after a refused conversion', () => {
    const [file, other] = [open(), open()]
    expect(file.mode).toBeNull()
    expect([file.tryLock('shared'), file.mode]).toEqual([true, 'shared'])
    expect([other.tryLock('shared'), other.mode]).toEqual([true, 'shared'])
    expect([file.tryLock('exclusive'), file.mode]).toEqual([false, null])
    expect([other.tryLock('exclusive'), other.mode]).toEqual([true, 'exclusive'])
    for (const one of [file, other]) one.close()
    expect(openNow()).toBe(0)
  })

  it('is released once, and then holds nothing', async () => {
    const file = open()
    file.tryLock('exclusive')
    const { fd } = file
    file.release()
    expect(file.mode).toBeNull()
    expect(() => fstatSync(fd)).toThrow(code('EBADF'))
    const next = open()
    next.tryLock('exclusive')
    // The new file has the same descriptor, which a second release must not close.
    file.release()
    file.close()
    expect(fstatSync(next.fd).isFile()).toBe(true)
    expect(await tryAcquire(path)).toBeNull()
    next.release()
    expect(openNow()).toBe(0)
  })
})

describe('a lock file of Node’s', () => {
  it('is unlocked before it is closed, if it was locked, and only by a release', () => {
    const steps = (action: (file: LockFile) => void): number[] => {
      const file = open()
      hand.operations = []
      action(file)
      return hand.operations
    }
    expect(steps((file) => void (file.tryLock('shared') && file.release()))).toEqual([
      LOCK_SH,
      LOCK_UN,
    ])
    expect(steps((file) => void (file.tryLock('exclusive') && file.close()))).toEqual([LOCK_EX])
    expect(steps((file) => file.release())).toEqual([])
  })

  it('is closed although it cannot be unlocked', () => {
    const file = open()
    file.tryLock('exclusive')
    hand.script = () => {
      throw new Error('made to fail')
    }
    expect(() => file.release()).toThrow('made to fail')
    expect(openNow()).toBe(0)
  })
})

describe.runIf(hasNative)('the addon', () => {
  beforeEach(() => {
    hand.inOneCall = true
  })

  it('that cannot take a descriptor over leaves nothing open, and says why', () => {
    hand.native = { adopt: () => -constants.errno.EMFILE }
    expect(() => open()).toThrow(code('ERR_LOCK_TOO_MANY_FILES'))
    expect(openNow()).toBe(0)
  })

  it('that cannot tell whether a file is current leaves that to Node', () => {
    const file = open()
    hand.native = { isCurrent: () => -constants.errno.EIO }
    const other = open()
    expect(other.isCurrent()).toBe(true)
    unlinkSync(path)
    expect([file.isCurrent(), other.isCurrent()]).toEqual([false, false])
    for (const one of [file, other]) one.close()
  })

  it.each([
    ['locks it', false, 'exclusive'],
    ['has it open, without the lock, if somebody has that', true, null],
  ])('%s in one call', (_, isHeld, mode) => {
    const holder = open()
    if (isHeld) holder.tryLock('shared')
    const file = LockFile.take({ path, create: true }, 'exclusive', false)
    expect([file?.mode, file?.path, file?.isDirectory]).toEqual([mode, path, false])
    expect(file?.isCurrent()).toBe(true)
    file?.release()
    holder.release()
    LockFile.tidy()
    expect(openNow()).toBe(0)
  })

  it('makes the file only if that is wanted, with its permissions', () => {
    expect(LockFile.take({ path, create: false }, 'exclusive', false)).toBeNull()
    const file = LockFile.take({ path, create: true, permissions: 0o640 }, 'shared', false)
    expect([file?.mode, statSync(path).mode & 0o777]).toEqual(['shared', 0o640 & ~process.umask()])
    file?.release()
  })

  it('leaves directories, and calls that fail, to the steps in JavaScript', () => {
    mkdirSync(path)
    expect(LockFile.take({ path, create: true, directory: true }, 'shared', false)).toBeNull()
    expect(LockFile.take({ path, create: true }, 'shared', false)).toBeNull()
    hand.inOneCall = false
    expect(LockFile.take({ path: `${path}2`, create: true }, 'shared', false)).toBeNull()
    expect(openNow()).toBe(0)
  })
})
