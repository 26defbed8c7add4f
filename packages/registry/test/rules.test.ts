import { symlinkSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { maxIdentity } from '@howdah/store'
import { describe, expect, test } from 'vitest'
import type { Allocation } from '../src/allocation.ts'
import { canonicalPath } from '../src/scopes/canonical-path.ts'
import { excessOf } from '../src/scopes/conflicts.ts'
import { read, type ScopeRule, write } from '../src/index.ts'
import { ancestorsOf, descendantsOf } from '../src/scopes/ownership.ts'
import { covers, describeClass, pathClasses } from '../src/scopes/path-class.ts'
import { propose } from '../src/proposal.ts'
import { sameRule } from '../src/scopes/scope-rule.ts'

function allocation(name: string, allow: ScopeRule[], more: Partial<Allocation> = {}): Allocation {
  const identity = { pid: 1, startTime: null, bootId: null, pidNamespace: null }
  return { ...identity, name, allow, deny: [], token: name, createdAt: '', ...more }
}

describe('what a child may be given', () => {
  const parent = allocation('parent', [write('/d')])
  const child = allocation('child', [write('/d/a')], {
    deny: [write('/d/a/b')],
    delegatedFrom: 'parent',
  })
  const sibling = allocation('sibling', [write('/d/z')], { delegatedFrom: 'parent' })
  const all = [parent, child, sibling]
  const wanted = (...targets: string[]) => ({ allow: targets.map((path) => write(path)), deny: [] })

  test('is what its parent holds', () => {
    expect(excessOf(wanted('/d/x'), parent, all)).toBe(null)
    const [, rule] = wanted('/d/x', '/e').allow
    expect(excessOf(wanted('/d/x', '/e'), parent, all)).toEqual({ rule, path: '/e' })
  })

  test('is no path that the parent delegated and the child denies, because nobody has it', () => {
    const [rule] = wanted('/d/a/b').allow
    expect(excessOf(wanted('/d/a/b'), parent, all)).toEqual({ rule, path: '/d/a/b' })
  })

  test('is left to conflicts if another child holds it', () => {
    expect(excessOf(wanted('/d/a/x'), parent, all)).toBe(null)
  })
})

describe('delegation, in a table that somebody has damaged', () => {
  test('ends with a parent that is missing', () => {
    const orphan = allocation('orphan', [], { delegatedFrom: 'nobody' })
    expect(ancestorsOf(orphan, [orphan])).toEqual([])
  })

  test('ends if it goes in a circle', () => {
    const one = allocation('one', [], { delegatedFrom: 'other' })
    const other = allocation('other', [], { delegatedFrom: 'one' })
    expect(ancestorsOf(one, [one, other])).toEqual([other, one])
    expect(descendantsOf(one, [one, other])).toEqual([other])
    const own = allocation('own', [], { delegatedFrom: 'own' })
    expect(descendantsOf(own, [own])).toEqual([])
  })
})

describe('a path of a rule', () => {
  test.each(['relative', '', '/with\0nul', 7 as unknown as string])('is refused: %j', (path) => {
    const refused = expect.objectContaining({ code: 'ERR_REGISTRY_PATH' })
    expect(() => canonicalPath(path)).toThrow(refused)
  })

  test('is refused if its links lead in a circle, with the reason', () => {
    using directory = temporaryDirectory()
    symlinkSync('other', directory.file('one'))
    symlinkSync('one', directory.file('other'))
    expect(() => canonicalPath(directory.file('one', 'below'))).toThrow(
      expect.objectContaining({
        code: 'ERR_REGISTRY_PATH',
        cause: expect.objectContaining({ code: 'ELOOP' }),
      }),
    )
  })

  test('need not exist, and has no slash at its end', () => {
    using directory = temporaryDirectory()
    symlinkSync('nowhere', directory.file('link'))
    expect(canonicalPath(`${directory.path}/link/x/`)).toBe(directory.file('nowhere', 'x'))
    expect(canonicalPath('/')).toBe('/')
  })
})

describe('a class of paths', () => {
  test('is the path, the paths in it, or the paths further below', () => {
    expect(pathClasses([write('/d/a'), write('/d/a')]).map(describeClass)).toEqual([
      '/d/a',
      '/d/a/*',
      '/d/a/*/*',
    ])
    expect(pathClasses([write('/')]).map(describeClass)).toEqual(['/', '/*', '/*/*'])
  })

  test.each([
    ['/', '/', [true, true, false]],
    ['/d', '/', [true, false, false]],
    ['/', '/d', [false, false, false]],
    ['/d/a', '/d/a', [true, true, false]],
    ['/d/a/b', '/d/a', [true, false, false]],
  ])('at %s is covered by a flat rule for %s: %j', (path, target, covered) => {
    const rule = write(target, { recursive: false })
    expect(([0, 1, 2] as const).map((below) => covers(rule, { path, below }))).toEqual(covered)
  })
})

test('rules are equal if target, permission and depth are equal', () => {
  expect(read('/d')).toEqual({ target: '/d', permission: 'read', recursive: true })
  expect(sameRule(write('/d'), write('/d'))).toBe(true)
  expect(sameRule(write('/d'), write('/e'))).toBe(false)
  expect(sameRule(write('/d'), read('/d'))).toBe(false)
  expect(sameRule(write('/d'), write('/d', { recursive: false }))).toBe(false)
})

test.each([
  ['no name', '', {}],
  ['a number for a name', 7 as unknown as string, {}],
  ['a segment below 0', 'it', { segmentId: -1 }],
  ['a segment that is too large', 'it', { segmentId: maxIdentity + 1 }],
  ['half a segment', 'it', { segmentId: 0.5 }],
])('%s cannot be allocated', (_, name, options) => {
  const invalid = expect.objectContaining({ code: 'ERR_REGISTRY_OPTION' })
  expect(() => propose(name, options)).toThrow(invalid)
})

test.each([0, maxIdentity])('segment %i can be allocated', (segmentId) => {
  expect(propose('it', { segmentId })).toMatchObject({ segmentId })
})
