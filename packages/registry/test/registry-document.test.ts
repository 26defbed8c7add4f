// @vitest-environment-options { "alone": "registry-document" }
import { mkdirSync, writeFileSync } from 'node:fs'
import type * as Store from '@howdah/store'
import { LockedDocument } from '@howdah/store'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Registry, write, type TableRecovery } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { fastDirectory } from './support/fast-directory.ts'

/** Whether the documents that were opened have to be on disk after each change. */
const opened = vi.hoisted(() => ({ durable: [] as unknown[] }))

vi.mock('@howdah/store', async (original) => {
  const real = await original<typeof Store>()
  class SeenDocument<Value extends object> extends real.LockedDocument<Value> {
    constructor(path: string, options: Store.DocumentOptions<Value>) {
      super(path, options)
      opened.durable.push(options.durable)
    }
  }
  return { ...real, LockedDocument: SeenDocument }
})

beforeEach(() => {
  opened.durable = []
})

describe('a change of the table', () => {
  test.each([
    ['is on disk, unless told otherwise', undefined, true],
    ['need not be on disk if that is not asked for', false, false],
  ])('%s', async (_, durable, expected) => {
    using directory = fastDirectory()
    await new Registry({ path: directory.file('r.json'), durable }).register('one')
    expect(opened.durable).toEqual([expected])
  })

  test('that is refused is not tried again', async () => {
    using directory = fastDirectory()
    let looks = 0
    const probe = () => {
      looks++
      return 'alive' as const
    }
    const registry = new Registry({ path: directory.file('r.json'), durable: false, probe })
    await registry.register('one', { allow: [write('/d')] })
    looks = 0
    const error = await caught(() => registry.register('two', { allow: [write('/d')] }))
    expect([error.code, looks]).toEqual(['ERR_REGISTRY_CONFLICT', 1])
  })

  test('waits once for the lock, no longer than its timeout', async () => {
    using directory = fastDirectory()
    const path = directory.file('r.json')
    const registry = new Registry({ path, durable: false })
    let end = (): void => undefined
    const holding = new LockedDocument(path, { empty: () => ({}), durable: false }).update(
      async () => await new Promise<void>((resolve) => void (end = resolve)),
    )
    let waits = 0
    const onWait = () => void waits++
    const error = await caught(() => registry.register('one', { timeout: 10, onWait }))
    expect(error).toMatchObject({
      code: 'ERR_REGISTRY_TIMEOUT',
      message: expect.stringContaining('wait longer'),
      cause: { code: 'ERR_STORE_LOCK_TIMEOUT' },
    })
    expect(waits).toBe(1)
    expect(await registry.list(), 'a query does not wait').toEqual([])
    end()
    await holding
  })
})

test('a table that cannot be read is an error with its cause, and is not called damaged', async () => {
  using directory = fastDirectory()
  const path = directory.file('r.json')
  mkdirSync(path)
  expect(await caught(() => new Registry({ path }).list())).toMatchObject({
    code: 'ERR_REGISTRY_TABLE',
    message: expect.stringContaining(`cannot read the table of allocations ${path}`),
    cause: { code: 'ERR_STORE_IO' },
  })
})

describe('a recovery', () => {
  test('by two at once is reported once', async () => {
    using directory = fastDirectory()
    const path = directory.file('r.json')
    const recoveries: TableRecovery[] = []
    const onRecovery = (recovery: TableRecovery) => void recoveries.push(recovery)
    const open = () => new Registry({ path, durable: false, onRecovery })
    await open().register('one')
    writeFileSync(path, '')
    const lists = await Promise.all([open().list(), open().list()])
    expect(lists.flat().map(({ name }) => name)).toEqual(['one', 'one'])
    expect(recoveries).toMatchObject([{ path, damaged: `${path}.damaged` }])
  })

  test('that nobody is told of is a warning of its own kind', async () => {
    using directory = fastDirectory()
    const path = directory.file('r.json')
    const registry = new Registry({ path, durable: false })
    await registry.register('one')
    writeFileSync(path, '')
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    await registry.list()
    expect(warn.mock.calls).toEqual([
      [expect.any(String), { type: 'RegistryWarning', code: 'REGISTRY_RECOVERED' }],
    ])
    warn.mockRestore()
  })
})
