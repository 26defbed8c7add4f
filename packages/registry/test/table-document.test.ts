import { describe, expect, test } from 'vitest'
import { emptyTable, tableSchema } from '../src/table-document.ts'

const rule = { target: '/d', permission: 'write', recursive: true }
/** An allocation as the table's file has it, with everything that it may have. */
const whole = {
  name: 'one',
  pid: 7,
  startTime: '100',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  machineId: 'machine',
  socket: '/run/one',
  allow: [rule, { ...rule, permission: 'read', recursive: false }],
  deny: [rule],
  segmentId: 3,
  delegatedFrom: 'parent',
  expiresAt: '2030-01-01T00:00:00.000Z',
  token: 'secret',
  createdAt: '2029-01-01T00:00:00.000Z',
}

async function validated(value: unknown) {
  return await tableSchema['~standard'].validate(value)
}

/** A table of these allocations. */
const table = (...allocations: unknown[]): object => ({ ...emptyTable(), allocations })
const changed = (change: object): object => table({ ...whole, ...change })
/** Without the fields that are `undefined`, as JSON has it. */
const asStored = (value: object): unknown => JSON.parse(JSON.stringify(value))

describe('a table', () => {
  test('is taken as it is, with all that it says', async () => {
    expect(await validated(emptyTable())).toEqual({ value: emptyTable() })
    const full = table(whole, { ...whole, name: 'two' })
    expect(await validated(full)).toEqual({ value: full })
  })

  test('need not say what is unknown or does not apply', async () => {
    const { name, pid, token, createdAt } = whole
    const least = { name, pid, allow: [], deny: [], token, createdAt }
    const unknown = { startTime: null, bootId: null, pidNamespace: null, machineId: null }
    expect(await validated(table(least))).toEqual({ value: table({ ...least, ...unknown }) })
    expect(await validated(table({ ...least, ...unknown }))).toEqual({
      value: table({ ...least, ...unknown }),
    })
  })

  test('of a later revision is not called damaged', async () => {
    const later = { ...emptyTable(), revision: 2 }
    await expect(validated(later)).rejects.toMatchObject({ code: 'ERR_REGISTRY_REVISION' })
  })

  test.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'howdah registry'],
    ['a list', []],
    ['another format', { ...emptyTable(), format: 'another' }],
    ['no format', { revision: 1, allocations: [] }],
    ['no revision', { ...emptyTable(), revision: undefined }],
    ['a revision that is a text', { ...emptyTable(), revision: '2' }],
    ['no list of allocations', { ...emptyTable(), allocations: {} }],
    ['an allocation that is none', table(null)],
    ['an allocation that is a text', table('one')],
    ['an allocation that is a list', table([whole])],
    ['two allocations of one name', table(whole, whole)],
  ])('that is or has %s is refused', async (_, value) => {
    expect(await validated(value)).toMatchObject({ issues: [{ message: expect.any(String) }] })
  })

  test.each<[string, object]>([
    ['no name', { name: undefined }],
    ['a name that is no text', { name: 7 }],
    ['no token', { token: undefined }],
    ['a token that is no text', { token: 7 }],
    ['no time', { createdAt: undefined }],
    ['a time that is no text', { createdAt: 7 }],
    ['no pid', { pid: undefined }],
    ['the pid 0', { pid: 0 }],
    ['a negative pid', { pid: -1 }],
    ['half a pid', { pid: 1.5 }],
    ['a pid that is a text', { pid: '7' }],
    ['a start time that is a number', { startTime: 100 }],
    ['a boot id that is a number', { bootId: 1 }],
    ['a pid namespace that is a number', { pidNamespace: 1 }],
    ['a machine id that is a number', { machineId: 1 }],
    ['a socket that is a number', { socket: 1 }],
    ['a parent that is a number', { delegatedFrom: 1 }],
    ['an end that is a number', { expiresAt: 1 }],
    ['an end that is null', { expiresAt: null }],
    ['a segment that is a text', { segmentId: '3' }],
    ['a segment that is null', { segmentId: null }],
    ['no list of what it may', { allow: undefined }],
    ['no list of what it may not', { deny: undefined }],
    ['a rule that is none', { allow: [null] }],
    ['a rule beside one that is none', { deny: [rule, 'x'] }],
    ['a rule without target', { allow: [{ ...rule, target: undefined }] }],
    ['a rule without depth', { allow: [{ ...rule, recursive: undefined }] }],
    ['a rule of an unknown permission', { deny: [{ ...rule, permission: 'execute' }] }],
  ])('with an allocation that has %s is refused', async (_, change) => {
    const { issues } = await validated(asStored(changed(change)))
    expect(issues).toHaveLength(1)
    // The control: nothing else is wrong with it.
    expect((await validated(asStored(changed({})))).issues).toBeUndefined()
  })
})
