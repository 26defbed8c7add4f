import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import {
  chooseDataDirectory,
  formerDataDirectory,
  mainDataDirectory,
  prepareProject,
} from '../src/opening/default-data-directory.ts'

const us = process.getuid?.() ?? 0
/** Somebody who is neither root nor we. */
const another = 54_321

describe('the data directory', () => {
  test.each([
    ['x', { PGDATA: '/y' }, '/project/x'],
    ['/x', {}, '/x'],
    ['/other/.howdah/data', {}, '/other/.howdah/data'],
    [undefined, { PGDATA: '/y' }, '/y'],
    [undefined, { PGDATA: 'y' }, '/project/y'],
    [undefined, { PGDATA: '' }, '/project/.howdah/data'],
    [undefined, {}, '/project/.howdah/data'],
  ])('-D %s with %j is %s', (asked, env, path) => {
    const project = path.endsWith('.howdah/data') ? dirname(path) : null
    expect(chooseDataDirectory(asked, { env, cwd: '/project' })).toMatchObject({ path, project })
  })

  test('lies in the nearest .howdah from here upwards', () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('a/b/c'), { recursive: true })
    mkdirSync(root.file('.howdah'))
    const choose = () => chooseDataDirectory(undefined, { env: {}, cwd: root.file('a/b/c') }).path
    expect(choose()).toBe(root.file('.howdah/data'))
    mkdirSync(root.file('a/b/.howdah'))
    expect(choose()).toBe(root.file('a/b/.howdah/data'))
  })

  test("lies in no .howdah that is another's, nor behind another's link, nor in a file", () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('a/b'), { recursive: true })
    const cwd = root.file('a/b')
    const choose = (uid: number) => chooseDataDirectory(undefined, { env: {}, cwd }, uid).path
    mkdirSync(root.file('a/.howdah'))
    if (us === 0) chownSync(root.file('a/.howdah'), another + 1, -1)
    expect(choose(us === 0 ? another + 1 : us)).toBe(root.file('a/.howdah/data'))
    expect(choose(another)).toBe(root.file('a/b/.howdah/data'))
    writeFileSync(root.file('a/b/.howdah'), '')
    expect(() => choose(another)).toThrow('is not a directory')
  })

  test("falls back on no .howdah here that is another's: this is an error that says so", () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('.howdah'))
    if (us === 0) chownSync(root.file('.howdah'), another + 1, -1)
    expect(() => chooseDataDirectory(undefined, { env: {}, cwd: root.path }, another)).toThrow(
      expect.objectContaining({
        code: 'ERR_CLI_FOREIGN_DIRECTORY',
        message: `${root.file('.howdah')} belongs to another user (uid ${us === 0 ? another + 1 : us}), so that what lies in it is not trusted; choose a data directory with -D`,
      }),
    )
  })

  test('lies in no .howdah of ours into which everybody can put one', () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('.howdah'))
    const choose = () => chooseDataDirectory(undefined, { env: {}, cwd: root.path }).path
    chmodSync(root.file('.howdah'), 0o775)
    expect(choose()).toBe(root.file('.howdah/data'))
    chmodSync(root.file('.howdah'), 0o777)
    expect(choose).toThrow('.howdah can be written by everybody (mend it with: chmod o-w)')
  })

  test.runIf(us === 0)("is another user's only as root (two users: root only)", () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('.howdah/data'), { recursive: true })
    const choose = (uid: number) =>
      chooseDataDirectory(undefined, { env: {}, cwd: root.path }, uid).path
    chownSync(root.file('.howdah'), another, -1)
    chownSync(root.file('.howdah/data'), another, -1)
    expect(choose(another)).toBe(root.file('.howdah/data'))
    chownSync(root.file('.howdah/data'), another + 1, -1)
    expect(() => choose(another)).toThrow(
      `has the data directory of another user (uid ${another + 1})`,
    )
    chownSync(root.file('.howdah'), 0, -1)
    expect(choose(0)).toBe(root.file('.howdah/data'))
  })

  test("root's is everybody's, a link of our own too", () => {
    using root = temporaryDirectory()
    mkdirSync(root.file('elsewhere'))
    symlinkSync('elsewhere', root.file('.howdah'))
    const choose = (uid: number) =>
      chooseDataDirectory(undefined, { env: {}, cwd: root.path }, uid).path
    expect(choose(us)).toBe(root.file('.howdah/data'))
    // As an ordinary user there is nothing of root's to try it with.
    expect(choose(us === 0 ? another : us)).toBe(root.file('.howdah/data'))
  })
})

describe('in a linked worktree (of jj, by its files)', () => {
  function withWorktree() {
    const root = temporaryDirectory()
    mkdirSync(root.file('main/.jj/repo'), { recursive: true })
    mkdirSync(root.file('main/x/.jj'), { recursive: true })
    writeFileSync(root.file('main/x/.jj/repo'), '../../.jj/repo')
    mkdirSync(root.file('main/.howdah'))
    return root
  }

  test('it is its own, though it lies below the main checkout', () => {
    using root = withWorktree()
    const here = { env: {}, cwd: root.file('main/x') }
    expect(chooseDataDirectory(undefined, here).path).toBe(root.file('main/x/.howdah/data'))
    expect(mainDataDirectory(here).path).toBe(root.file('main/.howdah/data'))
  })

  test("it is the main checkout's if howdah.json says that worktrees share it", () => {
    using root = withWorktree()
    writeFileSync(root.file('main/x/howdah.json'), '{ "worktrees": "shared" }')
    const here = { env: {}, cwd: root.file('main/x') }
    expect(chooseDataDirectory(undefined, here).path).toBe(root.file('main/.howdah/data'))
  })

  test('the cluster that was used until now is known, if there is one', () => {
    using root = withWorktree()
    const former = () =>
      formerDataDirectory(chooseDataDirectory(undefined, { env: {}, cwd: root.file('main/x') }))
    expect(former()).toBeNull()
    mkdirSync(root.file('main/.howdah/data'))
    writeFileSync(root.file('main/.howdah/data/PG_VERSION'), '18')
    expect(former()).toBe(root.file('main/.howdah/data'))
  })
})

test.skipIf(process.platform === 'win32')(
  'a project is closed to what others would write, whatever the umask',
  () => {
    using root = temporaryDirectory()
    const before = process.umask(0)
    try {
      prepareProject({ project: root.file('.howdah'), found: null })
    } finally {
      process.umask(before)
    }
    expect(statSync(root.file('.howdah')).mode & 0o777).toBe(0o755)
  },
)

test('a project is kept out of git, and an ignore file that is there is left alone', () => {
  using root = temporaryDirectory()
  prepareProject({ project: root.file('.howdah'), found: null })
  expect(readFileSync(root.file('.howdah/.gitignore'), 'utf8')).toBe('*\n')
  writeFileSync(root.file('.howdah/.gitignore'), 'mine')
  prepareProject({ project: root.file('.howdah'), found: null })
  expect(readFileSync(root.file('.howdah/.gitignore'), 'utf8')).toBe('mine')
})

test('a project that was removed since it was found is not made again', () => {
  using root = temporaryDirectory()
  mkdirSync(root.file('project/.howdah'), { recursive: true })
  const place = chooseDataDirectory(undefined, { env: {}, cwd: root.file('project') })
  rmSync(root.file('project'), { recursive: true })
  expect(() => prepareProject(place)).toThrow(
    expect.objectContaining({
      code: 'ERR_CLI_REMOVED',
      message: `${root.file('project')} was removed; change to another directory`,
    }),
  )
  expect(existsSync(root.file('project'))).toBe(false)
})
