import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { branchOf, findProject } from '@howdah/project'
import { directoryIn, isHere, run } from './git.ts'

describe('workspaces of jj, by the files that it makes', () => {
  test('the first one has the repository; another one names it, and has it as its main checkout', () => {
    using here = temporaryDirectory()
    directoryIn(here.path, 'first/.jj/repo/store')
    directoryIn(here.path, 'second/.jj/working_copy')
    writeFileSync(here.file('second/.jj/repo'), '../../first/.jj/repo')
    expect(findProject(directoryIn(here.path, 'first/a'))).toMatchObject({
      path: here.file('first'),
      kind: 'work-tree',
      main: null,
    })
    expect(findProject(directoryIn(here.path, 'second/a'))).toMatchObject({
      path: here.file('second'),
      kind: 'linked-worktree',
      main: here.file('first'),
    })
    // Older versions write the path in full.
    writeFileSync(here.file('second/.jj/repo'), here.file('first/.jj/repo'))
    expect(findProject(here.file('second')).main).toBe(here.file('first'))
  })

  test('without a repository it has no main checkout', () => {
    using here = temporaryDirectory()
    directoryIn(here.path, '.jj')
    writeFileSync(here.file('.jj/repo'), '/nonexistent/.jj/repo')
    expect(findProject(here.path)).toMatchObject({ kind: 'linked-worktree', main: null })
  })
})

describe('checkouts of Sapling, by the files that it makes', () => {
  test('are projects, and one that shares a repository knows the other', () => {
    using here = temporaryDirectory()
    for (const name of ['first', 'second']) {
      writeFileSync(join(directoryIn(here.path, name, '.sl'), 'requires'), 'store\n')
    }
    writeFileSync(here.file('second/.sl/sharedpath'), `${here.file('first/.sl')}\n`)
    expect(findProject(directoryIn(here.path, 'first/a'))).toMatchObject({
      path: here.file('first'),
      kind: 'work-tree',
    })
    expect(findProject(here.file('second'))).toMatchObject({
      kind: 'linked-worktree',
      main: here.file('first'),
    })
  })
})

test.skipIf(!isHere('hg'))('a share of Mercurial knows what it shares (with hg here)', () => {
  using here = temporaryDirectory()
  run(here.path, 'hg', 'init', 'first')
  run(here.path, 'hg', '--config', 'extensions.share=', 'share', 'first', 'second')
  run(here.file('second'), 'hg', 'branch', 'topic')
  expect(findProject(here.file('first'))).toMatchObject({ kind: 'work-tree', main: null })
  const { kind, main, workTree } = findProject(here.file('second'))
  expect({ kind, main }).toEqual({ kind: 'linked-worktree', main: here.file('first') })
  expect(workTree && branchOf(workTree)).toBe('topic')
})

test('a directory that the user reaches by an own link is found by its real path', () => {
  using here = temporaryDirectory()
  const real = directoryIn(here.path, 'real')
  symlinkSync(real, here.file('link'))
  expect(findProject(here.file('link'))).toMatchObject({ path: real, kind: 'directory' })
})
