import {
  cpSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { branchOf, findProject, type Project } from '@howdah/project'
import { directoryIn, git, isHere, withRepository } from './git.ts'

/** What most tests are about. */
function about({ path, kind, main }: Project): object {
  return { path, kind, main }
}

function branchIn(directory: string): string | null {
  const { workTree } = findProject(directory)
  return workTree === null ? null : branchOf(workTree)
}

describe.skipIf(!isHere('git'))('in work trees of git (with git on the machine)', () => {
  test('the top of the work tree is the project of everything in it', () => {
    using here = withRepository()
    const deep = directoryIn(here.repository, 'packages', 'a', 'src')
    expect(about(findProject(deep))).toEqual({
      path: here.repository,
      kind: 'work-tree',
      main: null,
    })
  })

  test('the search ends at the top: a .howdah above it does not count', () => {
    using here = withRepository()
    directoryIn(here.path, '.howdah')
    writeFileSync(here.file('howdah.json'), '{ "worktrees": "shared" }')
    expect(findProject(here.repository)).toMatchObject({ path: here.repository, settings: {} })
    expect(findProject(here.path)).toMatchObject({ path: here.path, kind: 'directory' })
  })

  test.each([
    ['inside of the repository', 'repository/.worktrees/x'],
    ["inside of the repository, in an agent's place", 'repository/.claude/worktrees/x'],
    ['outside of the repository', 'elsewhere/x'],
  ])('a linked worktree %s is a project of its own, and knows its main checkout', (_, name) => {
    using here = withRepository()
    const { repository } = here
    directoryIn(repository, '.howdah')
    const worktree = here.file(name)
    git(repository, 'worktree', 'add', '--quiet', '-b', 'topic/x', worktree)
    const expected = { path: worktree, kind: 'linked-worktree', main: repository }
    expect(about(findProject(worktree))).toEqual(expected)
    expect(about(findProject(directoryIn(worktree, 'packages/a')))).toEqual(expected)
    expect([branchIn(worktree), branchIn(repository)]).toEqual(['topic/x', 'main'])
  })

  test('a project inside of the repository has the same path in all worktrees', () => {
    using here = withRepository()
    const { repository } = here
    directoryIn(repository, 'packages/a/.howdah')
    directoryIn(repository, '.howdah')
    const worktree = here.file('x')
    git(repository, 'worktree', 'add', '--quiet', worktree)
    for (const [deep, path] of [
      ['packages/a/src', 'packages/a'],
      ['packages/b/src', ''],
    ] as const) {
      expect(about(findProject(directoryIn(worktree, deep)))).toEqual({
        path: join(worktree, path),
        kind: 'linked-worktree',
        main: join(repository, path),
      })
    }
    // One that only the worktree has is forked from what is around it in the main checkout.
    directoryIn(worktree, 'packages/b/.howdah')
    expect(about(findProject(directoryIn(worktree, 'packages/b/src')))).toMatchObject({
      path: join(worktree, 'packages/b'),
      main: repository,
    })
  })

  test('worktrees of another worktree are those of the one main checkout', () => {
    using here = withRepository()
    git(here.repository, 'worktree', 'add', '--quiet', here.file('x'))
    git(here.file('x'), 'worktree', 'add', '--quiet', here.file('x/y'))
    expect(findProject(here.file('x/y')).main).toBe(here.repository)
  })

  test('without a branch it is known by its commit', () => {
    using here = withRepository()
    git(here.repository, 'worktree', 'add', '--quiet', '--detach', here.file('x'))
    const commit = git(here.repository, 'rev-parse', 'HEAD').trim()
    expect(branchIn(here.file('x'))).toBe(commit.slice(0, 7))
  })

  test('a submodule is a separate project, without a main checkout', () => {
    using here = withRepository()
    using library = withRepository()
    git(here.repository, 'submodule', '--quiet', 'add', library.repository, 'lib')
    git(here.repository, 'commit', '--quiet', '--message=lib')
    const worktree = here.file('x')
    git(here.repository, 'worktree', 'add', '--quiet', worktree)
    git(worktree, 'submodule', '--quiet', 'update', '--init')
    for (const top of [join(here.repository, 'lib'), join(worktree, 'lib')]) {
      const expected = { path: top, kind: 'submodule', main: null }
      expect(about(findProject(top))).toEqual(expected)
    }
    // A worktree of the submodule has the submodule for its main checkout.
    git(join(here.repository, 'lib'), 'worktree', 'add', '--quiet', here.file('y'))
    expect(about(findProject(here.file('y')))).toEqual({
      path: here.file('y'),
      kind: 'linked-worktree',
      main: join(here.repository, 'lib'),
    })
  })

  test('of a bare repository, the worktree of the branch that its HEAD names is the main one', () => {
    using here = withRepository()
    const bare = here.file('project/.bare')
    git(here.path, 'clone', '--quiet', '--bare', here.repository, bare)
    writeFileSync(here.file('project/.git'), 'gitdir: ./.bare\n')
    git(bare, 'worktree', 'add', '--quiet', here.file('project/topic'))
    expect(about(findProject(here.file('project/topic')))).toMatchObject({
      kind: 'linked-worktree',
      main: null,
    })
    git(bare, 'worktree', 'add', '--quiet', here.file('project/main'), 'main')
    expect(about(findProject(here.file('project/topic')))).toMatchObject({
      kind: 'linked-worktree',
      main: here.file('project/main'),
    })
    expect(about(findProject(here.file('project/main')))).toMatchObject({
      kind: 'work-tree',
      main: null,
    })
    // A cluster that all of them used until now stands for that of a main checkout.
    directoryIn(here.file('project/.howdah'))
    for (const name of ['topic', 'main']) {
      expect(findProject(here.file('project', name)).main).toBe(here.file('project'))
    }
  })

  test('a bare repository and the inside of .git are not work trees', () => {
    using here = withRepository()
    const bare = here.file('bare.git')
    git(here.path, 'clone', '--quiet', '--bare', here.repository, bare)
    expect(findProject(bare)).toMatchObject({ path: bare, kind: 'directory' })
    expect(findProject(join(here.repository, '.git/hooks'))).toMatchObject({
      path: here.repository,
      kind: 'work-tree',
    })
  })

  test('a repository outside of its work tree still has a work tree', () => {
    using here = withRepository()
    git(here.path, 'init', '--quiet', `--separate-git-dir=${here.file('apart')}`, here.file('w'))
    expect(about(findProject(here.file('w')))).toEqual({
      path: here.file('w'),
      kind: 'work-tree',
      main: null,
    })
  })

  test('GIT_DIR and GIT_WORK_TREE change nothing: a hook finds the same project as its user', () => {
    using here = withRepository()
    using other = withRepository()
    const before = { ...process.env }
    Object.assign(process.env, {
      GIT_DIR: join(other.repository, '.git'),
      GIT_WORK_TREE: other.repository,
    })
    try {
      expect(findProject(here.repository).path).toBe(here.repository)
    } finally {
      for (const name of ['GIT_DIR', 'GIT_WORK_TREE']) delete process.env[name]
      Object.assign(process.env, before)
    }
  })

  test('a moved worktree knows its main checkout, whether git has moved it or not', () => {
    using here = withRepository()
    const { repository } = here
    git(repository, 'worktree', 'add', '--quiet', here.file('x'))
    git(repository, 'worktree', 'move', here.file('x'), here.file('y'))
    expect(findProject(here.file('y')).main).toBe(repository)
    renameSync(here.file('y'), here.file('z'))
    expect(findProject(here.file('z')).main).toBe(repository)
    git(here.file('z'), 'worktree', 'repair')
    expect(findProject(here.file('z')).main).toBe(repository)
  })

  test('a worktree has no main checkout after that was moved, until it is repaired', () => {
    using here = withRepository()
    git(here.repository, 'worktree', 'add', '--quiet', here.file('x'))
    renameSync(here.repository, here.file('moved'))
    expect(about(findProject(here.file('x')))).toEqual({
      path: here.file('x'),
      kind: 'work-tree',
      main: null,
    })
    git(here.file('moved'), 'worktree', 'repair', here.file('x'))
    expect(about(findProject(here.file('x')))).toEqual({
      path: here.file('x'),
      kind: 'linked-worktree',
      main: here.file('moved'),
    })
  })

  test('a worktree that was pruned while it was away is still a project', () => {
    using here = withRepository()
    git(here.repository, 'worktree', 'add', '--quiet', here.file('x'))
    rmSync(join(here.repository, '.git/worktrees'), { recursive: true })
    expect(about(findProject(directoryIn(here.file('x'), 'a')))).toMatchObject({
      path: here.file('x'),
      main: null,
    })
  })

  test('a link to a directory leads to the project of that directory', () => {
    using here = withRepository()
    const deep = directoryIn(here.repository, 'a/b')
    symlinkSync(deep, here.file('link'))
    expect(findProject(here.file('link')).path).toBe(here.repository)
    // A repository that is a link counts, too.
    mkdirSync(here.file('linked'))
    symlinkSync(join(here.repository, '.git'), here.file('linked/.git'))
    expect(findProject(here.file('linked'))).toMatchObject({
      path: here.file('linked'),
      kind: 'work-tree',
    })
  })

  test('workspaces of a monorepo share the project of their checkout', () => {
    using here = withRepository()
    const workspaces = ['apps/web', 'packages/db'].map((name) => directoryIn(here.repository, name))
    for (const workspace of workspaces) writeFileSync(join(workspace, 'package.json'), '{}')
    expect(workspaces.map((workspace) => findProject(workspace).path)).toEqual([
      here.repository,
      here.repository,
    ])
  })
})

describe('a directory that only looks like a work tree', () => {
  test.each([
    ['an empty .git', (entry: string) => mkdirSync(entry)],
    ['a .git with other words', (entry: string) => writeFileSync(entry, 'hello\n')],
    ['a .git without a path', (entry: string) => writeFileSync(entry, 'gitdir: \n')],
    ['a huge .git', (entry: string) => writeFileSync(entry, `gitdir: ${'x'.repeat(70_000)}`)],
    ['a .git that leads nowhere', (entry: string) => symlinkSync('/nonexistent', entry)],
    ['an empty .jj', (entry: string) => mkdirSync(join(entry, '../.jj'))],
    ['an empty .hg', (entry: string) => mkdirSync(join(entry, '../.hg'))],
  ] as [string, (entry: string) => unknown][])('%s is none', (_, make) => {
    using here = temporaryDirectory()
    make(here.file('.git'))
    const deep = directoryIn(here.path, 'a')
    expect(findProject(deep)).toMatchObject({ path: deep, kind: 'directory' })
  })

  test.skipIf(!isHere('mkfifo') || process.platform === 'win32')(
    'a FIFO in the place of a file is never waited for (with mkfifo)',
    async () => {
      using here = withRepository()
      const { repository } = here
      const worktree = here.file('x')
      git(repository, 'worktree', 'add', '--quiet', worktree)
      const { execFileSync } = await import('node:child_process')
      const administration = join(repository, '.git/worktrees/x')
      for (const path of [join(administration, 'commondir'), join(worktree, '.git')]) {
        rmSync(path)
        execFileSync('mkfifo', [path])
        expect(findProject(worktree).main).toBeNull()
      }
    },
  )

  test.skipIf(process.geteuid?.() !== 0)(
    "another user's .git decides nothing for us (two users: root only)",
    async () => {
      using here = withRepository()
      const { chownSync, lchownSync } = await import('node:fs')
      const [us, another] = [54_321, 54_322]
      const mine = directoryIn(here.path, 'shared/mine')
      cpSync(join(here.repository, '.git'), here.file('shared/.git'), { recursive: true })
      chownSync(here.file('shared/.git'), another, -1)
      chownSync(mine, us, -1)
      expect(findProject(mine, { uid: us }).path).toBe(mine)
      expect(findProject(mine, { uid: another }).path).toBe(here.file('shared'))
      // Root follows what the owner of the directory has put there, and nobody else's.
      expect(findProject(mine, { uid: 0 }).path).toBe(mine)
      chownSync(here.file('shared'), another, -1)
      expect(findProject(mine, { uid: 0 }).path).toBe(here.file('shared'))
      // A worktree of ours whose repository is another's has no main checkout.
      git(here.repository, 'worktree', 'add', '--quiet', here.file('x'))
      for (const path of [here.file('x'), here.file('x/.git')]) lchownSync(path, us, -1)
      chownSync(join(here.repository, '.git'), another, -1)
      expect(findProject(here.file('x'), { uid: us })).toMatchObject({
        kind: 'linked-worktree',
        main: null,
      })
      expect(existsSync(here.file('x/.git'))).toBe(true)
    },
  )
})
