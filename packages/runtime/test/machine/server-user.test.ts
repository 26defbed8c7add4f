import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { blockedFor } from '../../src/machine/server-user.ts'

const isRoot = process.geteuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }

let directory: TemporaryDirectory
let path: string
let file: string

beforeEach(() => {
  directory = temporaryDirectory()
  mkdirSync(directory.file('above/inside'), { recursive: true })
  path = directory.file('above/inside')
  file = directory.file('above/inside/file')
  writeFileSync(file, '')
  for (const one of ['above', 'above/inside']) chmodSync(directory.file(one), 0o755)
})
afterEach(() => {
  vi.restoreAllMocks()
  directory[Symbol.dispose]()
})

describe.runIf(isRoot)('a path that belongs to root is open to a user (needs root)', () => {
  test.each([
    [0o005, true],
    [0o004, false],
    [0o001, false],
    [0o770, false],
  ])('if everybody may enter and read its directory: %o, %s', (mode, open) => {
    chmodSync(path, mode)
    expect(blockedFor(nobody, [path])).toBe(open ? null : path)
    expect(blockedFor(undefined, [path])).toBe(open ? null : path)
  })

  test.each([
    ['owner', 65_534, 1, 0o500, true],
    ['owner', 65_534, 1, 0o077, false],
    ['group', 1, 65_534, 0o050, true],
    ['group', 1, 65_534, 0o705, false],
    ['neither', 1, 1, 0o770, false],
  ])('as its %s: %i:%i %o, %s', (_, uid, gid, mode, open) => {
    chownSync(path, uid, gid)
    chmodSync(path, mode)
    expect(blockedFor(nobody, [path])).toBe(open ? null : path)
  })

  test.each([
    [0o004, true],
    [0o001, false],
    [0o660, false],
  ])('if everybody may read a file: %o, %s', (mode, open) => {
    chmodSync(file, mode)
    expect(blockedFor(nobody, [file])).toBe(open ? null : file)
  })

  test.each([
    [0o001, true],
    [0o004, false],
    [0o750, false],
  ])('if everybody may go through what is above: %o, %s', (mode, open) => {
    chmodSync(directory.file('above'), mode)
    const blocked = open ? null : directory.file('above')
    expect(blockedFor(nobody, [path])).toBe(blocked)
    expect(blockedFor(nobody, [file])).toBe(blocked)
    expect(blockedFor(undefined, [file])).toBe(blocked)
  })

  test('if each path is open; otherwise the first closed one is given', () => {
    mkdirSync(directory.file('above/shut'), { mode: 0o700 })
    mkdirSync(directory.file('private'), { mode: 0o700 })
    const shut = directory.file('above/shut')
    const secret = directory.file('private')
    expect(blockedFor(nobody, [path, shut, secret])).toBe(shut)
    expect(blockedFor(nobody, [path, secret, shut])).toBe(secret)
  })

  test('by a link, if its target is open', () => {
    mkdirSync(directory.file('private'), { mode: 0o700 })
    mkdirSync(directory.file('private/inside'), { mode: 0o755 })
    symlinkSync('private/inside', directory.file('link'))
    expect(blockedFor(nobody, [directory.file('link')])).toBe(directory.file('private'))
  })

  test('if it is missing, and then the other paths count', () => {
    chmodSync(path, 0o700)
    expect(blockedFor(nobody, [directory.file('missing')])).toBeNull()
    expect(blockedFor(nobody, [directory.file('missing'), path])).toBe(path)
  })

  test('if that user is root', () => {
    chmodSync(path, 0o000)
    expect(blockedFor({ uid: 0, gid: 0 }, [path])).toBeNull()
  })

  test('and an error names what cannot be examined', () => {
    expect(() => blockedFor(nobody, [`${file}/below`])).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    )
  })
})

test('without root there is no other user', () => {
  vi.spyOn(process, 'geteuid').mockReturnValue(1_000)
  chmodSync(path, 0o000)
  expect(blockedFor(nobody, [path])).toBeNull()
  expect(blockedFor(undefined, [path])).toBeNull()
  chmodSync(path, 0o755)
})
