import { describe, expect, it } from 'vitest'
import { branchDirectory, branchIn, branchPlaceOf, problemOfBranch } from '../src/index.ts'

describe('branches', () => {
  it.each([
    ['/p/.howdah/data', '/p/.howdah/branches/x'],
    ['/p/.howdah/other', '/p/.howdah/.howdah-branches/other/x'],
    ['/srv/pg', '/srv/.howdah-branches/pg/x'],
    ['/srv/data', '/srv/.howdah-branches/data/x'],
  ])('of %s lie in a place of their own, from which it is found', (main, branch) => {
    const place = branchPlaceOf(main)
    expect([place.current, place.main]).toEqual(['main', main])
    expect(branchDirectory(place, 'x')).toBe(branch)
    expect(branchDirectory(place, 'main')).toBe(main)
    expect(branchPlaceOf(branch)).toEqual({ ...place, current: 'x' })
  })

  it.each(['a/b', '..', '.', '.hidden', 'a=2Fb', '100 %', 'ÄÖ', "it's (!*~)", 'UPPER'])(
    'called %s have a plain file name, which no other name has',
    (name) => {
      const directory = branchDirectory(branchPlaceOf('/p/.howdah/data'), name)
      const fileName = directory.slice('/p/.howdah/branches/'.length)
      expect(fileName).toMatch(/^[\w=-][\w=.-]*$/)
      expect(branchIn(fileName)).toBe(name)
    },
  )

  it.each(['.howdah-saved', 'a b', 'a=', 'a=2', 'a=zz', 'a=41', 'main', '=FF'])(
    'have no file name such as %s',
    (fileName) => {
      expect(branchIn(fileName)).toBeNull()
    },
  )

  it.each(['', 'main', 'a\0b', '\ud800', 'x'.repeat(201), 'ä'.repeat(40)])(
    'are not called %j',
    (name) => {
      expect(problemOfBranch(name)).toMatch(/./)
    },
  )
})
