import { describe, expect, test } from 'vitest'
import { Registry, RegistryError, write, type ScopeRule } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { fastDirectory } from './support/fast-directory.ts'

const all = (target: string): ScopeRule => write(target)
const flat = (target: string): ScopeRule => write(target, { recursive: false })

/** Whether two allocations with these rules can both exist, registered in either order. */
async function overlap(
  ours: { allow: ScopeRule[]; deny?: ScopeRule[] },
  theirs: { allow: ScopeRule[]; deny?: ScopeRule[] },
): Promise<string> {
  const verdicts: string[] = []
  for (const [first, second] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    using directory = fastDirectory()
    const registry = new Registry({ path: directory.file('registry.json'), durable: false })
    await registry.register('first', first)
    verdicts.push(
      await registry.register('second', second).then(
        () => 'both',
        (error: unknown) =>
          (error instanceof RegistryError && error.conflicts?.[0]?.path) || String(error),
      ),
    )
  }
  expect(verdicts[0]).toBe(verdicts[1])
  return verdicts[0]!
}

describe('two write rules', () => {
  test.each([
    ['the same, recursive', all('/d/a'), all('/d/a'), '/d/a'],
    ['the same, not recursive', flat('/d/a'), flat('/d/a'), '/d/a'],
    ['the same target, one recursive', all('/d/a'), flat('/d/a'), '/d/a'],
    ['one below a recursive one', all('/d'), all('/d/a/b/c'), '/d/a/b/c'],
    ['a flat one below a recursive one', all('/d'), flat('/d/a/b/c'), '/d/a/b/c'],
    ['a recursive one on a child of a flat one', flat('/d'), all('/d/a'), '/d/a'],
    ['a flat one on a child of a flat one', flat('/d'), flat('/d/a'), '/d/a'],
    ['a recursive one two below a flat one', flat('/d'), all('/d/a/b'), 'both'],
    ['a flat one two below a flat one', flat('/d'), flat('/d/a/b'), 'both'],
    ['siblings', all('/d/a'), all('/d/b'), 'both'],
    ['names of which one begins like the other', all('/d/a'), all('/d/ab'), 'both'],
    ['everything', all('/'), all('/d'), '/d'],
    ['the root and its children', flat('/'), all('/d'), '/d'],
    ['the root and what is deeper', flat('/'), all('/d/a'), 'both'],
  ])('%s', async (...row) => {
    const [, ours, theirs, verdict] = row
    expect(await overlap({ allow: [ours] }, { allow: [theirs] })).toBe(verdict)
  })

  test.each([
    ['one denies the whole of it', [all('/d/a')], [], 'both'],
    ['the other denies it', [], [all('/d/a')], 'both'],
    ['one denies more than it', [all('/d')], [], 'both'],
    ['one denies only a part', [all('/d/a/b')], [], '/d/a'],
    ['one denies the directory and its children only', [flat('/d/a')], [], '/d/a/*/*'],
    ['both deny what is not enough together', [flat('/d/a')], [all('/d/a/b')], '/d/a/*/*'],
    ['both deny what is enough together', [flat('/d/a'), flat('/d/a/b')], [all('/d/a')], 'both'],
    ['reading alone is denied', [{ ...all('/d/a'), permission: 'read' as const }], [], '/d/a'],
  ])('that share /d/a, if %s', async (...row) => {
    const [, ourDeny, theirDeny, verdict] = row
    const ours = { allow: [all('/d')], deny: ourDeny }
    const theirs = { allow: [all('/d/a')], deny: theirDeny }
    expect(await overlap(ours, theirs)).toBe(verdict)
  })

  test('never conflict if one is about reading', async () => {
    const reading: ScopeRule = { ...all('/d'), permission: 'read' }
    expect(await overlap({ allow: [reading] }, { allow: [all('/d')] })).toBe('both')
    expect(await overlap({ allow: [reading] }, { allow: [reading] })).toBe('both')
  })
})

describe('what a conflict says', () => {
  test('names the deepest owner and both rules, and lists all conflicts', async () => {
    using directory = fastDirectory()
    const registry = new Registry({ path: directory.file('registry.json'), durable: false })
    await registry.register('top', { allow: [all('/d')] })
    await registry.delegate('top', 'middle', { allow: [all('/d/a')] })
    await registry.delegate('middle', 'deep', { allow: [all('/d/a/b')] })
    await registry.register('elsewhere', { allow: [flat('/e')] })

    const wanted = { allow: [all('/d/a/b/c'), all('/e')] }
    const error = await caught(() => registry.register('late', wanted))
    expect(error).toMatchObject({
      code: 'ERR_REGISTRY_CONFLICT',
      owner: 'deep',
      pid: process.pid,
      wanted: all('/d/a/b/c'),
      held: all('/d/a/b'),
    })
    expect(error.message).toContain('"late"')
    expect(error.message).toContain(
      `"deep" of process ${process.pid} writes /d/a/b and all below it`,
    )

    const conflicts = await registry.conflicts(wanted)
    expect(conflicts.map(({ owner, path }) => `${owner} ${path}`)).toEqual([
      'deep /d/a/b/c',
      'middle /d/a/b/c',
      'top /d/a/b/c',
      'elsewhere /e',
    ])
    expect(error).toMatchObject({ conflicts })
    expect(await registry.conflicts({ allow: [all('/f')] })).toEqual([])
  })
})
