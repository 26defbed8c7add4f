import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { makeDirectories } from '../src/index.ts'

it('makes a directory and its parents, with exactly the given mode', () => {
  using home = temporaryDirectory()
  const umask = process.umask(0o777)
  try {
    makeDirectories(home.file('a', 'b'), 0o700)
  } finally {
    process.umask(umask)
  }
  for (const path of [home.file('a'), home.file('a', 'b')]) {
    expect(statSync(path).mode & 0o777).toBe(0o700)
  }
})

it('leaves what is there as it is', () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('a'), 0o755)
  makeDirectories(home.file('a'), 0o700)
  expect(statSync(home.file('a')).mode & 0o777).toBe(0o755)
})

it('ends if nothing can be made: behind a dangling link, and below a file', () => {
  using home = temporaryDirectory()
  symlinkSync(home.file('nowhere', 'at', 'all'), home.file('link'))
  writeFileSync(home.file('file'), '')
  expect(() => makeDirectories(home.file('link', 'a', 'b'))).toThrow(/EEXIST/)
  expect(() => makeDirectories(home.file('file', 'a', 'b'))).toThrow(/ENOTDIR/)
})

it('ends in /proc, where recursion by Node never returns', linuxOnly('/proc'), () => {
  expect(() => makeDirectories('/proc/howdah/a')).toThrow(/ENOENT/)
})

it('never makes the directory that has to be there, nor what is above it', () => {
  using home = temporaryDirectory()
  makeDirectories(home.file('a/b'), undefined, home.path)
  expect(existsSync(home.file('a/b'))).toBe(true)
  for (const path of [home.file('x/y'), home.file('x/y/z'), home.file('x')]) {
    expect(() => makeDirectories(path, undefined, home.file('x'))).toThrow(/ENOENT/)
  }
  expect(existsSync(home.file('x'))).toBe(false)
})
