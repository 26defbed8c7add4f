// @vitest-environment-options { "alone": "web-locks/arguments" }
import { readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { LockManager } from '../../src/web-locks/index.ts'
import { directory, locks } from '../support/fresh-locks.ts'

const named = (name: string): unknown => expect.objectContaining({ name })
const unreached = (): never => {
  throw new Error('the callback was called')
}
/** As JavaScript may call it. */
const call = async (...args: unknown[]): Promise<unknown> => {
  const request = locks.request.bind(locks) as (...given: unknown[]) => Promise<unknown>
  return request(...args)
}

describe('what is refused with a TypeError', () => {
  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['no callback', ['name']],
    ...[undefined, null, 123, 'abc', [], {}, Promise.resolve()].map(
      (callback): [string, unknown[]] => [`the callback ${inspect(callback)}`, ['name', callback]],
    ),
    ['a callback where the options are', ['name', unreached, undefined]],
    ['options that are no object', ['name', 'options', unreached]],
    ['an unknown mode', ['name', { mode: 'foo' }, unreached]],
    ['the mode null', ['name', { mode: null }, unreached]],
    ['a name that is a symbol', [Symbol('name'), unreached]],
    ...['string', 12.34, false, null, {}, Symbol('signal'), () => {}, globalThis].map(
      (signal): [string, unknown[]] => [
        `a signal that is a ${typeof signal}`,
        ['name', { signal }, unreached],
      ],
    ),
  ])('%s', async (_, args) => {
    await expect(call(...args)).rejects.toBeInstanceOf(TypeError)
  })
})

describe('what is refused with a NotSupportedError', () => {
  const { signal } = new AbortController()
  it.each<[string, unknown[]]>([
    ['a name that begins with a hyphen', ['-foo', unreached]],
    ['the name -', ['-', unreached]],
    ['steal with ifAvailable', ['name', { steal: true, ifAvailable: true }, unreached]],
    ['steal with shared', ['name', { steal: true, mode: 'shared' }, unreached]],
    ['steal with a signal', ['name', { steal: true, signal }, unreached]],
    ['ifAvailable with a signal', ['name', { ifAvailable: true, signal }, unreached]],
    [
      'ifAvailable with an aborted signal',
      ['name', { ifAvailable: true, signal: AbortSignal.abort() }, unreached],
    ],
  ])('%s', async (_, args) => {
    const error = await call(...args).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DOMException)
    expect(error).toEqual(named('NotSupportedError'))
  })
})

describe('what is taken', () => {
  it.each<[string, unknown[]]>([
    ['no options', ['name', () => 'called']],
    ['undefined options', ['name', undefined, () => 'called']],
    ['null options', ['name', null, () => 'called']],
    ['a hyphen inside of the name', ['x-anything', () => 'called']],
    ['a name that is converted to a string', [12, () => 'called']],
    [
      'an undefined mode and signal',
      ['name', { mode: undefined, signal: undefined }, () => 'called'],
    ],
    ['what else counts as true', ['name', { ifAvailable: 'yes', steal: 0 }, () => 'called']],
  ])('%s', async (_, args) => {
    expect(await call(...args)).toBe('called')
  })

  it.each(['exclusive', 'shared'] as const)('the mode %s, which the lock says', async (mode) => {
    expect(await locks.request('name', { mode }, (lock) => lock?.mode)).toBe(mode)
  })
})

describe('names', () => {
  it.each([
    '',
    'abc\0def',
    '\uD800',
    '\uDC00',
    '\uDC00\uD800',
    '\uFFFF',
    '../outside',
    '/',
    '.',
    'con',
    'name'.repeat(250),
    '🐘'.repeat(500),
    '__proto__',
  ])('can be any text: %j', async (name) => {
    await locks.request(name, async (lock) => {
      expect(lock?.name).toBe(name)
      const { held } = await locks.query()
      expect(held).toEqual([expect.objectContaining({ name })])
      expect(readdirSync(directory.path)).toEqual(['locks'])
      expect(readdirSync(locks.directory)).toHaveLength(1)
    })
    expect(readdirSync(locks.directory)).toEqual([])
  })

  it.each([
    ['\uD800', '\uFFFD'],
    ['a', 'A'],
    ['é', 'e\u0301'],
    ['x'.repeat(1_000), 'x'.repeat(1_001)],
    ['a b', 'a_b'],
  ])('that differ are different locks: %j and %j', async (one, other) => {
    await locks.request(one, async () => {
      expect(await locks.request(other, { ifAvailable: true }, (lock) => lock?.name)).toBe(other)
    })
  })

  it('give files that do not differ only in case', async () => {
    await locks.request('a', async () =>
      locks.request('A', () => {
        const files = readdirSync(locks.directory)
        expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(2)
        expect(files).toEqual(files.map((file) => file.toLowerCase()))
      }),
    )
  })
})

describe('the directory', () => {
  it('is made with its parents by the first request, and not by a query', async () => {
    const deep = new LockManager(directory.file('a/b/c'))
    expect(readdirSync(directory.path)).toEqual([])
    expect(await deep.query()).toEqual({ held: [], pending: [] })
    expect(readdirSync(directory.path)).toEqual([])
    const request = deep.request('name', async () => deep.query())
    const { held, pending } = await deep.query()
    expect([held.length, pending.length]).toEqual([1, 0])
    expect((await request).held).toEqual(held)
    expect(readdirSync(directory.file('a/b'))).toEqual(['c'])
  })

  it('may be relative, and then stays where it was', () => {
    expect(new LockManager('locks').directory).toBe(`${process.cwd()}/locks`)
    expect(() => new LockManager('')).toThrow(expect.objectContaining({ code: 'ERR_LOCK_OPTION' }))
  })

  it('that cannot be made rejects requests and queries', async () => {
    const below = new LockManager(`${process.execPath}/locks`)
    const refused = expect.objectContaining({ code: 'ERR_LOCK_NOT_FOUND' })
    await expect(below.request('name', unreached)).rejects.toEqual(refused)
    expect(await below.query()).toEqual({ held: [], pending: [] })
  })

  it('can be removed while nobody holds or waits', async () => {
    expect(await locks.request('name', () => 1)).toBe(1)
    directory[Symbol.dispose]()
    expect(await locks.request('name', () => 2)).toBe(2)
  })
})
