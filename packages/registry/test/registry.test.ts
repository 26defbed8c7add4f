import { currentProcess } from '@howdah/store'
import { temporaryDirectory } from '@howdah/fixtures'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { AllocationGuard, Registry, read, write, type TableRecovery } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { fastDirectory } from './support/fast-directory.ts'
import { People } from './support/people.ts'

function open(directory: { file(...names: string[]): string }, people?: People): Registry {
  return new Registry({
    path: directory.file('state', 'registry.json'),
    durable: false,
    probe: people?.probe,
  })
}

describe('registering', () => {
  test('gives an allocation that exists until it is released', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    {
      await using guard = await registry.register('one', {
        allow: [write('/d'), read('/e')],
        deny: [write('/d/x', { recursive: false })],
        socket: '/run/one',
        segmentId: 7,
      })
      expect(await registry.find('one')).toEqual(guard.allocation)
      expect(guard.allocation).toMatchObject({
        ...currentProcess(),
        name: 'one',
        socket: '/run/one',
        segmentId: 7,
        allow: [write('/d'), read('/e')],
      })
      expect(await registry.canWrite('one', '/d/a/b')).toBe(true)
      expect(await registry.canWrite('one', '/d/x/a')).toBe(false)
      expect(await registry.canWrite('one', '/d/x/a/b')).toBe(true)
      expect(await registry.canWrite('one', '/e')).toBe(false)
      expect(await registry.canWrite('nobody', '/d')).toBe(false)
      expect((await registry.ownerOf('/d'))?.name).toBe('one')
      expect(await registry.ownerOf('/e')).toBeNull()
    }
    expect(await registry.list()).toEqual([])
  })

  test("makes the file 0600 and its directory 0700; an existing one's mode stays", async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    await registry.register('one')
    expect(statSync(registry.path).mode & 0o777).toBe(0o600)
    expect(statSync(directory.file('state')).mode & 0o777).toBe(0o700)
    mkdirSync(directory.file('open'), { mode: 0o755 })
    await new Registry({ path: directory.file('open', 'r.json') }).register('one')
    expect(statSync(directory.file('open')).mode & 0o777).toBe(0o755)
  })

  test('takes of a process only what distinguishes it, also when it changes', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const process = { ...currentProcess(), name: 7, toJSON: () => null }
    const parent = await registry.register('one', { process, allow: [write('/d')] })
    const child = await parent.delegate('part', { process, allow: [write('/d/a')] })
    const adopted = await registry.adopt('part', child.token, { process })
    await adopted.transfer(process)
    const list = await registry.list()
    expect(list.map(({ name, pid }) => [name, pid])).toEqual([
      ['one', process.pid],
      ['part', process.pid],
    ])
    const none = { pid: 0, startTime: null, bootId: null, pidNamespace: null }
    for (const change of [
      () => registry.adopt('part', child.token, { process: none }),
      () => registry.transfer('one', parent.token, none),
    ])
      expect((await caught(change)).code).toBe('ERR_REGISTRY_OPTION')
    expect(await registry.list()).toEqual(list)
  })

  test('reports the name first, then the segment, then a conflict', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const scopes = { allow: [write('/d')], segmentId: 7 }
    await registry.register('one', scopes)
    const duplicate = await caught(() => registry.register('one', scopes))
    expect(duplicate).toMatchObject({ code: 'ERR_REGISTRY_DUPLICATE', pid: process.pid })
    const held = await caught(() => registry.register('two', scopes))
    expect(held).toMatchObject({ code: 'ERR_REGISTRY_SEGMENT_HELD', owner: 'one', segmentId: 7 })
    const conflict = await caught(() => registry.register('two', { ...scopes, segmentId: 8 }))
    expect(conflict).toMatchObject({ code: 'ERR_REGISTRY_CONFLICT', owner: 'one' })
    expect(await registry.list(), 'what failed changed nothing').toHaveLength(1)
  })

  test('first reclaims the allocations of dead processes', async () => {
    using directory = fastDirectory()
    const people = new People()
    const registry = open(directory, people)
    const dying = people.born()
    await registry.register('one', { allow: [write('/d')], segmentId: 7, process: dying })
    people.kill(dying.pid)
    expect(await registry.find('one'), 'nor do queries see the dead').toBeNull()
    await registry.register('one', { allow: [write('/d')], segmentId: 7 })
    expect(await registry.list()).toHaveLength(1)
  })

  test('keeps allocations of processes that are not certainly dead', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const elsewhere = { ...currentProcess(), pidNamespace: 'pid:[1]' }
    await registry.register('one', { allow: [write('/d')], process: elsewhere })
    await registry.register('reused', { process: { ...currentProcess(), startTime: '1' } })
    expect((await registry.reclaimStale()).map(({ name }) => name)).toEqual(['reused'])
    expect((await caught(() => registry.register('two', { allow: [write('/d')] }))).code).toBe(
      'ERR_REGISTRY_CONFLICT',
    )
  })

  test.each([
    ['an empty name', '', {}],
    ['a permission that is none', 'a', { allow: [{ ...write('/d'), permission: 'append' }] }],
    ['a recursive that is none', 'a', { deny: [{ ...write('/d'), recursive: 1 }] }],
    ['a segment that is none', 'a', { segmentId: -1 }],
    ['a process that is none', 'a', { process: null }],
    ['a process with half a pid', 'a', { process: { ...currentProcess(), pid: 1.5 } }],
    ['a process with a time that is no text', 'a', { process: { pid: 7, startTime: 100 } }],
    ['a socket that is none', 'a', { socket: 7 }],
  ])('refuses %s, and makes no table', async (_, name, options) => {
    using directory = fastDirectory()
    // @ts-expect-error: options that mean nothing
    const error = await caught(() => open(directory).register(name, options))
    expect(error.code).toBe('ERR_REGISTRY_OPTION')
    expect(existsSync(directory.file('state'))).toBe(false)
  })
})

describe('a path', () => {
  test('is normalised, and its symbolic links are resolved as far as it exists', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('link'))
    symlinkSync('later', directory.file('dangling'))
    symlinkSync('loop', directory.file('loop'))
    const registry = open(directory)
    const { allocation } = await registry.register('one', {
      allow: [
        write(`${directory.path}//link/./new/`),
        write(directory.file('dangling', 'x')),
        write(directory.file('real', 'file')),
      ],
    })
    expect(allocation.allow.map(({ target }) => target)).toEqual([
      directory.file('real', 'new'),
      directory.file('later', 'x'),
      directory.file('real', 'file'),
    ])
    expect(await registry.canWrite('one', directory.file('link', 'new', 'deep'))).toBe(true)
    writeFileSync(directory.file('real', 'file'), '')
    expect(await registry.canWrite('one', directory.file('real', 'file', 'below'))).toBe(true)
    const looping = await caught(() => registry.ownerOf(directory.file('loop', 'x')))
    expect(looping).toMatchObject({ code: 'ERR_REGISTRY_PATH', cause: { code: 'ELOOP' } })
  })

  test.each<[unknown]>([
    ['relative'],
    ['./x'],
    [''],
    ['/d/../e'],
    ['/d/..'],
    ['/\0'],
    [`/${'long'.repeat(100)}`],
    [7],
    [undefined],
  ])('is not %j', async (path) => {
    using directory = fastDirectory()
    // @ts-expect-error: some are no text
    const error = await caught(() => open(directory).register('one', { allow: [write(path)] }))
    expect(error.code).toBe('ERR_REGISTRY_PATH')
  })
})

describe('delegating', () => {
  async function withParent(directory: { file(...names: string[]): string }, people?: People) {
    const registry = open(directory, people)
    const parent = await registry.register('parent', {
      allow: [write('/d'), write('/e', { recursive: false })],
      deny: [write('/d/secret')],
    })
    return { registry, parent }
  }

  test('takes the child’s paths from the parent, until the child is released', async () => {
    using directory = fastDirectory()
    const { registry, parent } = await withParent(directory)
    await using child = await parent.delegate('child', { allow: [write('/d/a')] })
    expect(child.allocation).toMatchObject({ delegatedFrom: 'parent' })
    expect(child.allocation.expiresAt).toBeDefined()
    expect((await registry.ownerOf('/d/a/b'))?.name).toBe('child')
    expect(await registry.canWrite('parent', '/d/a/b')).toBe(false)
    expect(await registry.canWrite('parent', '/d/b')).toBe(true)
    expect(await child.release()).toBe(true)
    expect(await child.release(), 'once').toBe(false)
    expect((await registry.ownerOf('/d/a/b'))?.name).toBe('parent')
  })

  test.each([
    ['elsewhere', [write('/f')], [], '/f'],
    ['above', [write('/')], [], '/'],
    ['what the parent denies', [write('/d')], [], '/d/secret'],
    ['more of a flat rule', [write('/e')], [], '/e/*/*'],
    ['a part of what the parent denies', [write('/d/secret/x')], [], '/d/secret/x'],
  ])('refuses %s', async (_, allow, deny, path) => {
    using directory = fastDirectory()
    const { parent } = await withParent(directory)
    const error = await caught(() => parent.delegate('child', { allow, deny }))
    expect(error).toMatchObject({ code: 'ERR_REGISTRY_NOT_A_SUBSET', parent: 'parent', path })
  })

  test('allows a path that the child denies as well as the parent', async () => {
    using directory = fastDirectory()
    const { registry, parent } = await withParent(directory)
    const deny = [write('/d/secret')]
    await parent.delegate('child', { allow: [write('/d')], deny })
    expect(await registry.ownerOf('/d/secret')).toBeNull()
    expect((await registry.ownerOf('/d'))?.name).toBe('child')
  })

  test('reports the parent, the name, the subset, and another child, in this order', async () => {
    using directory = fastDirectory()
    const { registry, parent } = await withParent(directory)
    await parent.delegate('child', { allow: [write('/d/a')] })
    const code = async (from: string, name: string, target: string) =>
      (await caught(() => registry.delegate(from, name, { allow: [write(target)] }))).code
    expect(await code('nobody', 'child', '/f')).toBe('ERR_REGISTRY_UNKNOWN_PARENT')
    expect(await code('parent', 'child', '/f')).toBe('ERR_REGISTRY_DUPLICATE')
    const both = { allow: [write('/d/a'), write('/f')] }
    expect((await caught(() => parent.delegate('other', both))).code).toBe(
      'ERR_REGISTRY_NOT_A_SUBSET',
    )
    expect(await code('parent', 'other', '/d/a/b')).toBe('ERR_REGISTRY_CONFLICT')
  })

  test('by a guard that has lost its allocation is refused', async () => {
    using directory = fastDirectory()
    const { registry, parent } = await withParent(directory)
    await registry.release('parent', parent.token)
    await registry.register('parent', { allow: [write('/d')] })
    const error = await caught(() => parent.delegate('child', { allow: [write('/d/a')] }))
    expect(error.code).toBe('ERR_REGISTRY_UNKNOWN_PARENT')
    expect(await parent.release(), "and nobody releases a successor's").toBe(false)
    expect(await registry.find('parent')).not.toBeNull()
  })

  test('is temporary: a reservation that nobody adopts ends', async () => {
    using directory = fastDirectory()
    const { registry, parent } = await withParent(directory)
    const now = vi.spyOn(Date, 'now')
    const child = await parent.delegate('child', { allow: [write('/d/a')], lifetime: 1000 })
    now.mockReturnValue(Date.parse(child.allocation.expiresAt!) - 1)
    expect((await registry.ownerOf('/d/a'))?.name).toBe('child')
    now.mockReturnValue(Date.parse(child.allocation.expiresAt!))
    expect((await registry.ownerOf('/d/a'))?.name).toBe('parent')
    expect((await caught(() => registry.adopt('child', child.token))).code).toBe(
      'ERR_REGISTRY_UNKNOWN',
    )
    now.mockRestore()
    for (const lifetime of [0, -1, Number.NaN, Infinity])
      expect((await caught(() => parent.delegate('x', { lifetime }))).code).toBe(
        'ERR_REGISTRY_OPTION',
      )
  })

  test('ends with the process that made the reservation', async () => {
    using directory = fastDirectory()
    const people = new People()
    const { registry } = await withParent(directory, people)
    const process = people.born()
    await registry.delegate('parent', 'child', { allow: [write('/d/a')], process })
    people.kill(process.pid)
    expect((await registry.ownerOf('/d/a'))?.name).toBe('parent')
  })
})

describe('adopting', () => {
  test('rewrites process and segment, and the token: only a reservation, with its token, once', async () => {
    using directory = fastDirectory()
    const people = new People()
    const registry = open(directory, people)
    const parent = await registry.register('parent', { allow: [write('/d')], segmentId: 1 })
    const child = await parent.delegate('child', { allow: [write('/d/a')] })
    const process = people.born()

    expect((await caught(() => registry.adopt('child', 'guess'))).code).toBe('ERR_REGISTRY_TOKEN')
    expect((await caught(() => registry.adopt('nobody', child.token))).code).toBe(
      'ERR_REGISTRY_UNKNOWN',
    )
    expect((await caught(() => registry.adopt('parent', parent.token))).code).toBe(
      'ERR_REGISTRY_NOT_RESERVED',
    )
    const held = await caught(() => registry.adopt('child', child.token, { segmentId: 1 }))
    expect(held).toMatchObject({ code: 'ERR_REGISTRY_SEGMENT_HELD', owner: 'parent' })

    const adopted = await registry.adopt('child', child.token, { process, segmentId: 2 })
    expect(adopted.allocation).toMatchObject({
      ...process,
      segmentId: 2,
      delegatedFrom: 'parent',
      allow: [write('/d/a')],
    })
    expect(adopted.allocation.expiresAt).toBeUndefined()
    expect((await caught(() => registry.adopt('child', child.token))).code).toBe(
      'ERR_REGISTRY_TOKEN',
    )
    expect((await caught(() => registry.adopt('child', adopted.token))).code).toBe(
      'ERR_REGISTRY_NOT_RESERVED',
    )
    expect(await child.release(), "it is not the parent's to release").toBe(false)
    expect(await registry.find('child')).toEqual(adopted.allocation)
  })
})

describe('a segment', () => {
  test('has one owner, who can be found by it', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const one = await registry.register('one', { allow: [write('/d')], segmentId: 1 })
    const two = await registry.register('two')
    await one.delegate('reserved', { allow: [write('/d/a')] })
    expect((await registry.findBySegment(1))?.name).toBe('one')
    expect(await registry.findBySegment(2)).toBeNull()
    // @ts-expect-error: an allocation without a segment never matches
    expect(await registry.findBySegment(undefined)).toBeNull()

    expect((await caught(() => two.updateSegment(1))).code).toBe('ERR_REGISTRY_SEGMENT_HELD')
    await two.updateSegment(2)
    await two.updateSegment(2)
    expect((await registry.findBySegment(2))?.name).toBe('two')
    await one.updateSegment(null)
    await two.updateSegment(1)
    expect((await registry.findBySegment(1))?.name).toBe('two')
    expect((await caught(() => registry.updateSegment('two', 'guess', 3))).code).toBe(
      'ERR_REGISTRY_TOKEN',
    )
  })
})

describe('releasing', () => {
  test('gives the children to the parent of the released allocation', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const top = await registry.register('top', { allow: [write('/d')] })
    const middle = await top.delegate('middle', { allow: [write('/d/a')] })
    const deep = await middle.delegate('deep', { allow: [write('/d/a/b')] })
    expect(await registry.release('middle', 'guess')).toBe(false)
    expect(await middle.release()).toBe(true)
    expect(await registry.find('deep')).toMatchObject({ delegatedFrom: 'top', token: deep.token })
    expect((await registry.ownerOf('/d/a/b'))?.name).toBe('deep')
    expect((await registry.ownerOf('/d/a'))?.name).toBe('top')
    await top.release()
    expect((await registry.find('deep'))?.delegatedFrom).toBeUndefined()
  })

  test('of several dead generations gives the same in any order', async () => {
    const outcomes = new Set<string>()
    for (const order of [
      ['a', 'b', 'c', 'd', 'e'],
      ['e', 'd', 'c', 'b', 'a'],
      ['c', 'a', 'e', 'b', 'd'],
    ]) {
      using directory = fastDirectory()
      const people = new People()
      const registry = open(directory, people)
      const processes = new Map(order.map((name) => [name, people.born()]))
      let path = '/d'
      await registry.register('a', { allow: [write(path)], process: processes.get('a') })
      for (const [parent, child] of ['ab', 'bc', 'cd', 'de']) {
        path += `/${child}`
        const { token } = await registry.delegate(parent!, child!, { allow: [write(path)] })
        await registry.adopt(child!, token, { process: processes.get(child!) })
      }
      // They are removed in the order of the table.
      const table = JSON.parse(readFileSync(registry.path, 'utf8'))
      table.allocations.sort(
        (one: { name: string }, other: { name: string }) =>
          order.indexOf(one.name) - order.indexOf(other.name),
      )
      writeFileSync(registry.path, JSON.stringify(table))
      people.kill(...['b', 'c', 'd'].map((name) => processes.get(name)!.pid))
      const removed = await registry.reclaimStale()
      const left = (await registry.list()).map(
        ({ name, delegatedFrom }) => `${name} of ${delegatedFrom}`,
      )
      outcomes.add([removed.map(({ name }) => name).toSorted(), left.toSorted()].join())
    }
    expect([...outcomes]).toEqual(['b,c,d,a of undefined,e of a'])
  })
})

describe('taking back what was delegated', () => {
  test('is idempotent, and works when the child is gone already', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const parent = await registry.register('parent', { allow: [write('/d')] })
    const rules = [write('/d/a'), write('/d/b')]
    const child = await parent.delegate('child', { allow: rules })
    const grandchild = await child.delegate('grandchild', { allow: [write('/d/b/x')] })

    for (let times = 0; times < 2; times++) {
      const left = await registry.reclaimDelegated('parent', 'child', [write('/d/a')])
      expect(left?.allow).toEqual([write('/d/b')])
      expect((await registry.ownerOf('/d/a'))?.name).toBe('parent')
    }
    expect(await registry.reclaimDelegated('parent', 'child', rules)).toBeNull()
    expect(await registry.find('child')).toBeNull()
    expect((await registry.find('grandchild'))?.delegatedFrom).toBe('parent')
    expect(await registry.reclaimDelegated('parent', 'child', rules)).toBeNull()
    expect(await grandchild.release()).toBe(true)
  })

  test('of a part that the child has delegated further is refused', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    const parent = await registry.register('parent', { allow: [write('/d')] })
    const child = await parent.delegate('child', { allow: [write('/d/a'), write('/d/b')] })
    await child.delegate('grandchild', { allow: [write('/d/b/x')] })
    const error = await caught(() => registry.reclaimDelegated('parent', 'child', [write('/d/b')]))
    expect(error.code).toBe('ERR_REGISTRY_DELEGATED_ON')
    expect(error.message).toContain('"grandchild"')
  })

  test('leaves alone a child of the same name that another parent delegated', async () => {
    using directory = fastDirectory()
    const registry = open(directory)
    await registry.register('parent', { allow: [write('/d')] })
    const other = await registry.register('other', { allow: [write('/e')] })
    await other.delegate('child', { allow: [write('/e/a')] })
    expect(await registry.reclaimDelegated('parent', 'child')).toBeNull()
    expect(await registry.find('child')).not.toBeNull()
    expect((await caught(() => registry.reclaimDelegated('nobody', 'child'))).code).toBe(
      'ERR_REGISTRY_UNKNOWN',
    )
  })
})

describe('transferring', () => {
  test('gives name and scopes to another process, for good', async () => {
    using directory = fastDirectory()
    const people = new People()
    const registry = open(directory, people)
    const successor = people.born()
    const guard = await registry.register('cluster', { allow: [write('/d')], segmentId: 7 })
    const { token, ...rest } = guard.allocation
    const transferred = await guard.transfer(successor)
    expect(transferred).toEqual({ ...rest, ...successor, token: transferred.token })
    expect(transferred.token).not.toBe(token)
    expect(await guard.release(), 'the guard does not release it').toBe(false)
    expect(await registry.find('cluster')).toEqual(transferred)
    people.kill(successor.pid)
    expect(await registry.find('cluster'), 'it ends with its new process').toBeNull()
  })

  test('to a dead process is refused', async () => {
    using directory = fastDirectory()
    const people = new People()
    const registry = open(directory, people)
    const guard = await registry.register('cluster')
    const dead = people.born()
    people.kill(dead.pid)
    expect((await caught(() => guard.transfer(dead))).code).toBe('ERR_REGISTRY_PROCESS_DEAD')
    expect(await registry.find('cluster')).toEqual(guard.allocation)
  })
})

describe('a damaged table', () => {
  test.each([
    ['empty', ''],
    ['truncated', '{"format":"howdah registry","revision":1,"alloca'],
    ['garbage', '\u0000\u0001\u0002'],
    ['another document', '{}'],
    ['one without its list', '{"format":"howdah registry","revision":1}'],
    [
      'one with an allocation that is none',
      '{"format":"howdah registry","revision":1,"allocations":[{}]}',
    ],
  ])('that is %s is reported and recovered, never read as empty', async (_, content) => {
    using directory = fastDirectory()
    const path = directory.file('registry.json')
    const recoveries: TableRecovery[] = []
    const registry = new Registry({
      path,
      durable: false,
      onRecovery: (recovery) => recoveries.push(recovery),
    })
    await registry.register('one', { allow: [write('/d')] })
    writeFileSync(path, content)
    expect((await registry.ownerOf('/d'))?.name, 'by a query').toBe('one')
    expect(recoveries).toMatchObject([{ path, damaged: `${path}.damaged` }])
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(content)

    writeFileSync(path, content)
    const error = await caught(() => registry.register('two', { allow: [write('/d')] }))
    expect(error, 'by a change').toMatchObject({ code: 'ERR_REGISTRY_CONFLICT', owner: 'one' })
    expect(recoveries).toHaveLength(2)
  })

  test('warns if nobody else reports it', async () => {
    using directory = fastDirectory()
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const registry = open(directory)
    await registry.register('one')
    writeFileSync(registry.path, '')
    await registry.list()
    expect(warn.mock.calls[0]?.[0]).toContain(`${registry.path} was damaged and has been recovered`)
    warn.mockRestore()
  })

  test('that has no good version is an error that says what to do', async () => {
    using directory = fastDirectory()
    const path = directory.file('registry.json')
    writeFileSync(path, '')
    const error = await caught(() => new Registry({ path }).list())
    expect(error.code).toBe('ERR_REGISTRY_DAMAGED')
    expect(error.message).toContain(`remove ${path}`)
  })

  test('is not one that a later version wrote', async () => {
    using directory = fastDirectory()
    const path = directory.file('registry.json')
    const content = '{"format":"howdah registry","revision":2}'
    writeFileSync(path, content)
    const error = await caught(() => new Registry({ path }).register('one'))
    expect(error.code).toBe('ERR_REGISTRY_REVISION')
    expect(readFileSync(path, 'utf8')).toBe(content)
  })
})

describe('the place of the table', () => {
  test('is where state lives', () => {
    using directory = fastDirectory()
    vi.stubEnv('HOWDAH_STATE_DIR', directory.file('state'))
    expect(new Registry().path).toBe(directory.file('state', 'registry.json'))
    vi.unstubAllEnvs()
  })

  test('that cannot be found is an error that names the variable', async () => {
    vi.stubEnv('HOWDAH_STATE_DIR', 'relative')
    const error = await caught(() => new Registry())
    vi.unstubAllEnvs()
    expect(error.code).toBe('ERR_REGISTRY_NO_PLACE')
    expect(error.message).toContain('HOWDAH_STATE_DIR')
    expect(error.cause).toMatchObject({ code: 'ERR_STORE_STATE_DIRECTORY' })
  })
})

test('changes to the result of a query do not change the table', async () => {
  using directory = fastDirectory()
  const registry = open(directory)
  await registry.register('one', { allow: [write('/d')] })
  const list = await registry.list()
  list.pop()
  Object.assign((await registry.find('one'))!, { name: 'two', allow: [] })
  expect((await registry.ownerOf('/d'))?.name).toBe('one')
})

test('a guard that guards nothing any more does not ask the table again', async () => {
  using directory = fastDirectory()
  const people = new People()
  const registry = open(directory, people)
  const released = await registry.register('one')
  const transferred = await registry.register('two')
  expect(await released.release()).toBe(true)
  await transferred.transfer(people.born())
  rmSync(registry.path)
  mkdirSync(registry.path)
  expect(await released.release()).toBe(false)
  expect(await transferred.release()).toBe(false)
  expect((await caught(() => registry.list())).code, 'it cannot be asked').toBe(
    'ERR_REGISTRY_TABLE',
  )
})

test('a guard is for `await using`, and the table is free meanwhile', async () => {
  using directory = fastDirectory()
  const registry = open(directory)
  await using guard = await registry.register('one')
  expect(guard).toBeInstanceOf(AllocationGuard)
  await using other = await registry.register('two', { timeout: 0 })
  expect(other.name).toBe('two')
})
