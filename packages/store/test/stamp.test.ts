import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isStamped, stamp } from '../src/entry/stamp.ts'

let directory: TemporaryDirectory
let path: string
let lock: number

beforeEach(() => {
  directory = temporaryDirectory()
  path = directory.file('document')
  writeFileSync(directory.file('lock'), 'x'.repeat(90))
  writeFileSync(path, '{}')
  lock = openSync(directory.file('lock'), 'r+')
})
afterEach(() => {
  closeSync(lock)
  directory[Symbol.dispose]()
})

/** Changes the time of the inode, as new extended attributes do. The kernel's clock for that has ticks of milliseconds. */
function changeInode(): void {
  const time = () => statSync(path, { bigint: true }).ctimeNs
  const before = time()
  while (time() === before) utimesSync(path, 1, 1)
}

describe('a file that was stamped', () => {
  test('is known until anything about it changes', () => {
    expect(isStamped(lock, path)).toBe(false)
    stamp(lock, path)
    expect(isStamped(lock, path)).toBe(true)
    changeInode()
    expect(isStamped(lock, path)).toBe(false)
    stamp(lock, path)
    expect(isStamped(lock, path)).toBe(true)
  })

  test('is not the file that takes its place', () => {
    stamp(lock, path)
    writeFileSync(directory.file('other'), '{}')
    renameSync(directory.file('other'), path)
    expect(isStamped(lock, path)).toBe(false)
  })
})

test('a missing file has no attributes', () => {
  rmSync(path)
  expect(isStamped(lock, path)).toBe(true)
  stamp(lock, path)
  expect(readFileSync(directory.file('lock'), 'utf8')).toBe('x'.repeat(90))
})

test('a stamp that cannot be written is done without', () => {
  const readOnly = openSync(directory.file('lock'), 'r')
  stamp(readOnly, path)
  expect(isStamped(readOnly, path)).toBe(false)
  closeSync(readOnly)
  expect(readFileSync(directory.file('lock'), 'utf8')).toBe('x'.repeat(90))
})
