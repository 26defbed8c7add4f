import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onlyIf, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** A copy of howdah with its own cache. A test may change its files. */
let home: TemporaryDirectory
beforeEach(() => {
  home = temporaryDirectory({ prefix: 'howdah-compiled-' })
  const built = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
  cpSync(built('dist'), home.file('dist'), { recursive: true })
  symlinkSync(built('node_modules'), home.file('node_modules'))
  mkdirSync(home.file('cache'))
})
afterEach(() => home[Symbol.dispose]())

function howdah(...args: string[]): string {
  const env = { ...process.env, HOWDAH_CACHE_DIR: home.file('cache') }
  return execFileSync(process.execPath, [home.file('dist/bin.cjs'), ...args], {
    cwd: home.path,
    env,
    encoding: 'utf8',
  })
}

/** The kept files: their names and what is in them. */
function kept(): Map<string, string> {
  const directory = home.file('cache/compiled')
  const names = readdirSync(directory).filter((name) => name.startsWith('howdah-'))
  return new Map(names.map((name) => [name, readFileSync(`${directory}/${name}`, 'latin1')]))
}

/** Changes words in the built files. There may be files of an earlier build, too. */
function reword(words: string, others: string): void {
  for (const name of readdirSync(home.file('dist')).filter((one) => one.endsWith('.cjs'))) {
    const text = readFileSync(home.file('dist', name), 'utf8')
    if (text.includes(words)) writeFileSync(home.file('dist', name), text.replaceAll(words, others))
  }
}

const keeps = onlyIf(process.platform !== 'darwin', 'howdah keeps no compiled code on a Mac')

test('what the first process has compiled is kept for the next one', keeps, () => {
  const help = howdah('--help')
  const before = kept()
  expect(before.size).toBeGreaterThan(0)
  expect(howdah('--help')).toBe(help)
  expect(kept()).toEqual(before)
})

test('a changed text is compiled anew, even if it is as long', () => {
  const help = howdah('--help')
  reword('as easy as SQLite', 'as eager a SQLite')
  expect(howdah('--help')).toBe(help.replaceAll('as easy as SQLite', 'as eager a SQLite'))
})

test.each([
  ['cut short', (whole: string) => whole.slice(0, whole.length / 2)],
  ['empty', () => ''],
  ['of zeros', (whole: string) => '\0'.repeat(whole.length)],
  ['of another version of V8', (whole: string) => whole.slice(0, 4) + '\u0001' + whole.slice(5)],
])('a kept file that is %s is replaced', keeps, (_, spoil) => {
  const help = howdah('--help')
  const before = kept()
  for (const [name, content] of before)
    writeFileSync(home.file('cache/compiled', name), spoil(content), 'latin1')
  const spoiled = kept()
  expect(howdah('--help')).toBe(help)
  const replaced = kept()
  for (const [name, content] of spoiled) expect(replaced.get(name)).not.toBe(content)
  howdah('--help')
  expect(kept()).toEqual(replaced)
})

test.each([
  ['the cache', 'cache', 0o777],
  ['the directory of compiled code', 'cache/compiled', 0o770],
  ['a directory above the cache', '.', 0o777],
])('nothing is kept where others may write: %s', keeps, (_, name, mode) => {
  howdah('--help')
  const before = kept()
  chmodSync(home.file(name), mode)
  // Each of the frequent commands has code of its own.
  expect(howdah('url', '--help')).toContain('howdah url')
  expect(kept()).toEqual(before)
  chmodSync(home.file(name), 0o700)
  howdah('url', '--help')
  expect(kept().size).toBeGreaterThan(before.size)
})

test.runIf(process.geteuid?.() === 0)('nothing is used that another user may have planted', () => {
  const help = howdah('--help')
  const directory = home.file('cache/compiled')
  for (const name of kept().keys()) writeFileSync(`${directory}/${name}`, 'planted')
  const planted = kept()
  chownSync(directory, 65_534, 65_534)
  expect(howdah('--help')).toBe(help)
  expect(kept()).toEqual(planted)
  // The control: in a directory of ours they are read, and replaced.
  chownSync(directory, 0, 0)
  howdah('--help')
  for (const content of kept().values()) expect(content).not.toBe('planted')
})
