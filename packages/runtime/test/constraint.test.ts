import { mkdirSync, symlinkSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import {
  all,
  any,
  anything,
  chain,
  type Constraint,
  type ConstraintLike,
  constraintOf,
  describeConstraint,
  directory,
  glob,
  not,
  nothing,
  parseConstraint,
  Runtime,
  satisfies,
  single,
  Version,
  version,
} from '../src/index.ts'
import { fakeBindir } from './fake-bindir.ts'

const at = (bindir: string, text: string) => ({ bindir, version: Version.parse(text) })
const debian = at('/usr/lib/postgresql/15/bin', '15.18')
const homebrew = at('/opt/homebrew/opt/postgresql@16/bin', '16.3')

describe('a constraint holds or not', () => {
  const table: [string, Constraint, boolean][] = [
    ['anything', anything, true],
    ['nothing', nothing, false],
    ['15', version('15'), true],
    ['15, as a number', version(15), true],
    ['15.18', version('15.18'), true],
    ['15.1', version('15.1'), false],
    ['exactly 15.18', version(Version.parse('15.18')), true],
    ['exactly 15beta1', version(Version.parse('15beta1')), false],
    ['not 15', not(version(15)), false],
    ['any of none', any(), false],
    ['any', any(version(14), version(15)), true],
    ['all of none', all(), true],
    ['all', all(version(15), not(glob('/opt/**'))), true],
    ['all but one', all(version(15), nothing), false],
  ]
  test.each(table)('%s', (_, constraint, holds) => {
    expect(satisfies(debian, constraint)).toBe(holds)
  })
})

describe('a glob matches the directory of programs', () => {
  test.each([
    ['/usr/lib/postgresql/15/bin', true],
    ['/usr/lib/postgresql/15/bin/', true],
    ['/usr/lib/postgresql/*/bin', true],
    ['/usr/lib/postgresql/1?/bin', true],
    ['/usr/lib/postgresql/{14,15}/bin', true],
    ['/usr/lib/postgresql/{13,14}/bin', false],
    ['/usr/*/bin', false],
    ['/usr/**', true],
    ['/usr/**/bin', true],
    ['**/15/bin', true],
    ['*/15/bin', false],
    ['/usr/lib/postgresql/15', true],
    ['/usr/lib/postgresql/*', true],
    ['/usr/lib/postgresql', false],
    ['/USR/lib/postgresql/15/bin', false],
  ])('%s: %s', (pattern, matches) => {
    expect(satisfies(debian, glob(pattern))).toBe(matches)
  })

  test('an @ is an ordinary character, and hidden directories match', () => {
    expect(satisfies(homebrew, glob('/opt/homebrew/opt/postgresql@*/bin'))).toBe(true)
    expect(
      satisfies(at('/home/x/.asdf/installs/postgres/16.3/bin', '16.3'), glob('/home/**')),
    ).toBe(true)
  })
})

describe('a directory', () => {
  test.each([
    ['pg/bin', true],
    ['pg', true],
    ['link', true],
    ['link/bin', true],
    ['other', false],
    ['other/bin', false],
    ['missing', false],
    ['', false],
  ])('%s is where the server is, links followed: %s', (path, holds) => {
    using place = temporaryDirectory()
    const bindir = fakeBindir(place.file('pg/bin'), { version: '16.3' })
    fakeBindir(place.file('other/bin'), { version: '16.3' })
    symlinkSync('pg', place.file('link'))
    expect(satisfies(at(bindir, '16.3'), directory(place.file(path)))).toBe(holds)
  })

  test('with only links to the programs is another name for their directory', () => {
    using place = temporaryDirectory()
    const bindir = fakeBindir(place.file('pg/bin'), { version: '16.3' })
    mkdirSync(place.file('links'))
    symlinkSync(`${bindir}/postgres`, place.file('links/postgres'))
    expect(satisfies(at(bindir, '16.3'), directory(place.file('links')))).toBe(true)
    expect(satisfies(at(place.file('links'), '16.3'), directory(bindir))).toBe(true)
  })

  test('without a server is only itself', () => {
    using place = temporaryDirectory()
    const none = at(place.file('bin'), '16.3')
    expect(satisfies(none, directory(place.file('bin')))).toBe(true)
    expect(satisfies(none, directory(place.path))).toBe(true)
    expect(satisfies(none, directory(place.file('other')))).toBe(false)
  })

  test('is not a path without a name', () => {
    expect(() => directory('')).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME_CONSTRAINT' }))
  })
})

describe('from a text', () => {
  test.each([
    ['16', '16'],
    ['16.3', '16.3'],
    ['9.6', '9.6'],
    ['17beta1', '17beta1'],
    ['/opt/*/bin', '/opt/*/bin'],
  ])('%s', (text, description) => {
    expect(describeConstraint(parseConstraint(text))).toBe(description)
  })

  test('with a slash it is a directory or a glob, otherwise a version', () => {
    expect(parseConstraint('./16', { cwd: '/opt' })).toEqual(directory('/opt/16'))
    expect(parseConstraint('./16')).toEqual(directory(`${process.cwd()}/16`))
    expect(parseConstraint('/opt/*').kind).toBe('glob')
    expect(parseConstraint('16').kind).toBe('version')
    expect(satisfies(at('/x', '17beta1'), parseConstraint('17beta1'))).toBe(true)
    expect(satisfies(at('/x', '17.0'), parseConstraint('17beta1'))).toBe(false)
  })

  test.each([
    '',
    'postgres',
    '*',
    '16*',
    '16.3.1',
    'postgres (PostgreSQL) 17beta1',
    '/opt/[ab/bin',
  ])('%j is refused', (text) => {
    expect(() => parseConstraint(text)).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_CONSTRAINT', text }),
    )
  })
})

describe('everything that can be a constraint is accepted everywhere', () => {
  test.each<[ConstraintLike, boolean]>([
    ['15', true],
    ['15.18', true],
    ['16', false],
    [15, true],
    ['/usr/lib/postgresql/15', true],
    ['/usr/lib/postgresql/15/bin/', true],
    ['/usr/lib/postgresql', false],
    ['/usr/lib/*/15', true],
  ])('%j: %s', async (like, holds) => {
    expect(satisfies(debian, like)).toBe(holds)
    expect(satisfies(debian, not(like))).toBe(!holds)
    expect(satisfies(debian, all(like, 15))).toBe(holds)
    expect(satisfies(debian, any(like, nothing))).toBe(holds)
    expect(describeConstraint(like)).toBe(describeConstraint(constraintOf(like)))
    using place = temporaryDirectory()
    const bindir = fakeBindir(place.file('bin'), { version: '15.18' })
    const runtime = await Runtime.at(bindir, { version: debian.version })
    const choice = await chain(single(runtime)).select(all(like, anything))
    expect(choice).toBe(satisfies(runtime, like) ? runtime : null)
  })
})

test('constraints describe themselves', () => {
  const constraint = any(all(version(16), not(version('16.1'))), glob('/opt/*/bin'), anything)
  expect(describeConstraint(constraint)).toBe('(16 and not 16.1) or /opt/*/bin or anything')
  expect(describeConstraint(not(any(16, 17)))).toBe('not (16 or 17)')
  expect(describeConstraint(all(any(16, 17), nothing))).toBe('(16 or 17) and nothing')
  expect([any(), all(), not(all())].map((one) => describeConstraint(one))).toEqual([
    'nothing',
    'anything',
    'not (anything)',
  ])
})
