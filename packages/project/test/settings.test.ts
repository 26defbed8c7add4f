import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { findProject } from '@howdah/project'
import { directoryIn, isHere, run } from './git.ts'

describe('howdah.json', () => {
  test('makes its directory a project, and counts for directories below it', () => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a/b')
    writeFileSync(here.file('howdah.json'), '{ "$schema": "x", "worktrees": "empty" }')
    expect(findProject(deep)).toMatchObject({
      path: here.path,
      settingsFile: here.file('howdah.json'),
      settings: { worktrees: 'empty' },
    })
    directoryIn(here.path, 'a/.howdah')
    expect(findProject(deep)).toMatchObject({ path: here.file('a'), settings: {} })
  })

  test('of a work tree counts for the projects in it', () => {
    using here = temporaryDirectory()
    directoryIn(here.path, '.jj/repo')
    directoryIn(here.path, 'a/.howdah')
    writeFileSync(here.file('howdah.json'), '{ "worktrees": "shared" }')
    expect(findProject(here.file('a'))).toMatchObject({
      path: here.file('a'),
      settings: { worktrees: 'shared' },
    })
  })

  test.each([
    ['no JSON', '{', 'cannot be read: '],
    ['no object', '[]', 'is not a JSON object'],
    ['what nobody knows', '{ "worktree": "fork" }', 'has "worktree", which means nothing'],
    ['the name of a thing that every object has', '{ "toString": 1 }', 'has "toString", which'],
    ['another value', '{ "worktrees": true }', 'should be "fork", "empty" or "shared"'],
  ])('with %s is an error that says what is wrong', (_, text, message) => {
    using here = temporaryDirectory()
    writeFileSync(here.file('howdah.json'), text)
    expect(() => findProject(here.path)).toThrow(
      expect.objectContaining({
        code: 'ERR_PROJECT_SETTINGS',
        path: here.file('howdah.json'),
        message: expect.stringContaining(message),
      }),
    )
  })

  test.skipIf(!isHere('mkfifo'))('that is a FIFO is an error, and not waited for', () => {
    using here = temporaryDirectory()
    run(here.path, 'mkfifo', 'howdah.json')
    expect(() => findProject(here.path)).toThrow('it is a FIFO')
  })

  test("of a data directory is howdah's mark and does not make a project", () => {
    using here = temporaryDirectory()
    const dataDir = directoryIn(here.path, '.howdah/data')
    writeFileSync(join(dataDir, 'howdah.json'), '{ "superuser": "me", "created": true }')
    writeFileSync(join(dataDir, 'PG_VERSION'), '18\n')
    expect(findProject(dataDir).path).toBe(here.path)
  })

  test.skipIf(process.geteuid?.() !== 0)("another user's says nothing (root only)", () => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a')
    writeFileSync(here.file('howdah.json'), '{}')
    chownSync(here.file('howdah.json'), 54_321, -1)
    expect(findProject(deep).path).toBe(deep)
  })
})
