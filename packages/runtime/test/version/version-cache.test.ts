import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Version } from '../../src/index.ts'
import { VersionCache } from '../../src/version/version-cache.ts'

let directory: TemporaryDirectory
let cacheDir: string

beforeEach(() => {
  directory = temporaryDirectory()
  cacheDir = directory.file('cache')
})
afterEach(() => directory[Symbol.dispose]())

/** A program; only what `stat` says of it counts. */
function program(name: string, content = 'content'): string {
  const path = directory.file(name)
  writeFileSync(path, content)
  utimesSync(path, 1_000, 1_000)
  return path
}

/** The version of a program by a cache, and whether the program was asked for it. */
async function look(
  path: string,
  said = '16.3',
  cache = new VersionCache(cacheDir),
): Promise<[version: string, source: 'asked' | 'known']> {
  let source: 'asked' | 'known' = 'known'
  const version = await cache.versionOf(path, statSync(path), async () => {
    source = 'asked'
    return Version.parse(said)
  })
  return [version.toString(), source]
}

const file = (): string => `${cacheDir}/versions.json`
const entries = (): Record<string, unknown> =>
  (JSON.parse(readFileSync(file(), 'utf8')) as { entries: Record<string, unknown> }).entries

describe('a given version is known', () => {
  test('to the same cache and to the next, with prereleases', async () => {
    const path = program('postgres')
    const cache = new VersionCache(cacheDir)
    expect(await look(path, '17beta1', cache)).toEqual(['17beta1', 'asked'])
    expect(await look(path, '17.0', cache)).toEqual(['17beta1', 'known'])
    expect(await look(path, '17.0')).toEqual(['17beta1', 'known'])
  })

  test.each<[string, (path: string) => void]>([
    [
      'size',
      (path) => {
        writeFileSync(path, 'longer content')
        utimesSync(path, 1_000, 1_000)
      },
    ],
    ['modification time', (path) => utimesSync(path, 1_001, 1_001)],
    ['inode', (path) => renameSync(program('new'), path)],
  ])('until its %s is another', async (_, change) => {
    const path = program('postgres')
    await look(path)
    const before = statSync(path)
    change(path)
    const after = statSync(path)
    const changed = (['size', 'mtimeMs', 'ino'] as const).filter((of) => before[of] !== after[of])
    expect(changed).toHaveLength(1)
    expect(await look(path, '16.4')).toEqual(['16.4', 'asked'])
    expect(await look(path, '16.5')).toEqual(['16.4', 'known'])
  })
})

describe('a stored version', () => {
  test('has all programs, for all caches and processes', async () => {
    const paths = ['one', 'two', 'three', 'four'].map((name) => program(name))
    const caches = [new VersionCache(cacheDir), new VersionCache(cacheDir)]
    // Each has loaded, before the others write.
    for (const cache of caches) await look(program('loaded'), '16.3', cache)
    await look(paths[0]!, '16.3', caches[0])
    await look(paths[1]!, '16.3', caches[1])
    await Promise.all([look(paths[2]!, '16.3', caches[0]), look(paths[3]!, '16.3', caches[0])])
    for (const path of paths) expect(await look(path)).toEqual(['16.3', 'known'])
    expect(readdirSync(cacheDir)).toEqual(['versions.json'])
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  test('has the newest two hundred', async () => {
    const old = Array.from({ length: 210 }, (_unused, n) => [
      `/old/${n}`,
      { size: 1, mtimeMs: 1, ino: 1, version: '16.3' },
    ])
    mkdirSync(cacheDir, { mode: 0o700 })
    writeFileSync(file(), JSON.stringify({ format: 1, entries: Object.fromEntries(old) }))
    const path = program('postgres')
    await look(path)
    const kept = Object.keys(entries())
    expect(kept).toHaveLength(200)
    expect(kept[0]).toBe('/old/11')
    expect(kept.at(-1)).toBe(path)
  })

  test.each([
    ['no object', 7],
    ['a size that is not a number', { size: '7' }],
    ['a time that is not a number', { mtimeMs: null }],
    ['an inode that is not a number', { ino: undefined }],
    ['a version that is not a text', { version: 16.3 }],
    ['no version', { version: 'sixteen' }],
    ['half a version', { version: '16' }],
    ['a version among other words', { version: 'PostgreSQL 16.3' }],
  ])('is not believed if an entry has %s, and the others are', async (_, wrong) => {
    const [path, other] = [program('postgres'), program('other')]
    await look(path)
    await look(other)
    const entry = typeof wrong === 'object' ? { ...(entries()[path] as object), ...wrong } : wrong
    writeFileSync(file(), JSON.stringify({ format: 1, entries: { ...entries(), [path]: entry } }))
    expect(await look(other, '16.9')).toEqual(['16.3', 'known'])
    expect(await look(path, '16.4')).toEqual(['16.4', 'asked'])
  })

  test.each([
    'null',
    '7',
    '[]',
    '{"entries":{}}',
    '{"format":1}',
    '{"format":1,"entries":[7]}',
    '{',
  ])('is made anew if it is %s', async (text) => {
    const path = program('postgres')
    mkdirSync(cacheDir, { mode: 0o700 })
    writeFileSync(file(), text)
    expect(await look(path)).toEqual(['16.3', 'asked'])
    expect(Object.keys(entries())).toEqual([path])
  })

  test('with another format is made anew, whatever it contains', async () => {
    const path = program('postgres')
    await look(path)
    writeFileSync(file(), JSON.stringify({ format: 2, entries: entries() }))
    expect(await look(path, '16.4')).toEqual(['16.4', 'asked'])
  })

  test('is neither read nor written in a directory that others can write', async () => {
    const path = program('postgres')
    await look(path)
    const before = readFileSync(file(), 'utf8')
    chmodSync(cacheDir, 0o777)
    expect(await look(path, '16.4')).toEqual(['16.4', 'asked'])
    expect(readFileSync(file(), 'utf8')).toBe(before)
  })

  test('does not appear, and leaves no file, if it cannot be renamed', async () => {
    const path = program('postgres')
    mkdirSync(file(), { recursive: true })
    chmodSync(cacheDir, 0o700)
    for (const said of ['16.3', '16.4']) expect(await look(path, said)).toEqual([said, 'asked'])
    expect(readdirSync(cacheDir)).toEqual(['versions.json'])
  })
})

test('a program that has failed is asked again', async () => {
  const path = program('postgres')
  const cache = new VersionCache(cacheDir)
  const failing = cache.versionOf(path, statSync(path), async () => {
    throw new Error('out of order')
  })
  await expect(failing).rejects.toThrow('out of order')
  expect(await look(path, '16.3', cache)).toEqual(['16.3', 'asked'])
})
