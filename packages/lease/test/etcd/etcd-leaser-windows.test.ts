import { beforeEach, describe, expect, test } from 'vitest'
import { createEtcdLeaser } from '../../src/etcd/index.ts'
import { ScriptedEtcd } from './scripted-etcd.ts'

let etcd: ScriptedEtcd
/** The time by our clock. */
let now: number
const said: string[] = []

beforeEach(() => {
  etcd = new ScriptedEtcd()
  now = 1_000_000
  said.length = 0
})

function leaser() {
  const note = (message: string): void => void said.push(message)
  return createEtcdLeaser({
    endpoints: ['http://one'],
    key: 'jobs',
    owner: 'me',
    ttl: 1_500,
    maxTtl: 5_000,
    clock: () => now,
    logger: { debug: note, warn: note },
    fetch: etcd.fetch,
  })
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const key = base64('jobs')

/** The answer to a read: a value at a revision, bound to a lease. */
function found(value: object | string, revision = 5, lease = 77, term = '3'): object {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const one = { value: base64(text), mod_revision: `${revision}`, lease: `${lease}` }
  return { header: { raft_term: term }, kvs: [one] }
}

const nothing = { header: { raft_term: '3' } }
const held = { owner: 'other', nonce: 'theirs', released: false }
const mine = { owner: 'me', nonce: 'mine', released: false }
const released = { owner: 'other', nonce: 'theirs', released: true, generation: '4' }
const swapped = { succeeded: true, header: { revision: '8' } }
const lost = { succeeded: false, header: { revision: '8' } }
const reference = { generation: 5n, etag: '77' }
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })
const bodyOf = (path: string) => etcd.asked.find((one) => one.path === path)?.body

/** The value that the first swap wrote. */
function valueOf(): unknown {
  const { success } = bodyOf('kv/txn') as { success: { request_put: { value: string } }[] }
  return JSON.parse(Buffer.from(success[0]?.request_put.value ?? '', 'base64').toString())
}

/** What a swap wrote, as a read finds it then. */
function written(revision = 9): object {
  const { success } = bodyOf('kv/txn') as { success: { request_put: { value: string } }[] }
  const one = { value: success[0]?.request_put.value, mod_revision: `${revision}`, lease: '77' }
  return { header: { raft_term: '3' }, kvs: [one] }
}

describe('to acquire', () => {
  test('what nobody ever held makes the key, bound to a lease of whole seconds', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('kv/txn', swapped)
    const lease = await leaser().acquire()
    expect(etcd.paths).toEqual(['kv/range', 'lease/grant', 'kv/txn'])
    expect(bodyOf('kv/range')).toEqual({ key })
    expect(valueOf()).toEqual({ owner: 'me', nonce: expect.any(String), released: false })
    const { ID, TTL } = bodyOf('lease/grant') as { ID: string; TTL: string }
    expect(TTL).toBe('2')
    expect(bodyOf('kv/txn')).toMatchObject({
      compare: [{ key, result: 'EQUAL', target: 'CREATE', create_revision: '0' }],
      success: [{ request_put: { key, lease: ID } }],
    })
    expect(lease).toMatchObject({ generation: 8n, owner: 'me', etag: ID })
    expect(lease.expiresAt).toEqual(new Date(now + 1_500))
    expect(said).toEqual(['acquired generation 8 of the lease etcd jobs'])
  })

  test('what was released replaces exactly that', async () => {
    etcd.answer('kv/range', found(released))
    etcd.answer('kv/txn', swapped)
    await leaser().acquire({ ttl: 5_000 })
    expect(etcd.paths).toEqual(['kv/range', 'lease/grant', 'kv/txn'])
    expect(bodyOf('kv/txn')).toMatchObject({ compare: [{ target: 'MOD', mod_revision: '5' }] })
    expect(bodyOf('lease/grant')).toMatchObject({ TTL: '5' })
  })

  test('is counted from before the grant', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('lease/grant', () => {
      now += 900
      return {}
    })
    etcd.answer('kv/txn', swapped)
    expect((await leaser().acquire()).expiresAt).toEqual(new Date(1_001_500))
  })

  test.each([
    ['3', 3_000],
    ['15', 15_000],
    ['0', 0],
    ['-1', 0],
  ])('is refused while the server’s lease has %s seconds', async (TTL, left) => {
    etcd.answer('kv/range', found(held))
    etcd.answer('lease/timetolive', { TTL })
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_EXISTS',
      owner: 'other',
      expiresAt: new Date(now + left),
    })
    expect(etcd.paths).toEqual(['kv/range', 'lease/timetolive'])
    expect(bodyOf('lease/timetolive')).toEqual({ ID: '77' })
  })

  test.each<[string, object, RegExp]>([
    ['is bound to no lease', found(held, 5, 0), /bound to no lease/],
    ['is garbage', found('garbage'), /garbage|JSON/],
    ['lasts too long', found(held), /other claims it for 16000 ms, which is more than the 5000/],
  ])('is refused as corrupt if the key %s', async (_, answer, message) => {
    etcd.answer('kv/range', answer)
    etcd.answer('lease/timetolive', { TTL: '16' })
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_CORRUPT',
      message: expect.stringMatching(message),
    })
    expect(etcd.paths).not.toContain('lease/grant')
  })

  test('has it if a first copy of the request was done', async () => {
    etcd.answer('kv/range', nothing, () => written())
    etcd.answer('kv/txn', lost)
    expect(await leaser().acquire()).toMatchObject({ generation: 9n })
    expect(etcd.paths).toEqual(['kv/range', 'lease/grant', 'kv/txn', 'kv/range'])
  })

  test('after another was faster leaves no lease on the server, and looks again', async () => {
    etcd.answer('kv/range', nothing, found(held), found(held))
    etcd.answer('kv/txn', lost)
    etcd.answer('lease/timetolive', { TTL: '1' })
    await expect(leaser().acquire()).rejects.toEqual(code('ERR_LEASE_EXISTS'))
    expect(etcd.paths).toEqual([
      'kv/range',
      'lease/grant',
      'kv/txn',
      'kv/range',
      'lease/revoke',
      'kv/range',
      'lease/timetolive',
    ])
    expect(bodyOf('lease/revoke')).toEqual({ ID: bodyOf('lease/grant')?.['ID'] })
  })

  test('asks for another lease each time, and gives up after twenty times', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('kv/txn', lost)
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('was changed by others 20 times in a row'),
    })
    const ids = (path: string) =>
      etcd.asked.filter((one) => one.path === path).map(({ body }) => body['ID'])
    expect(new Set(ids('lease/grant')).size).toBe(20)
    expect(ids('lease/revoke')).toEqual(ids('lease/grant'))
  })

  test('that is refused for good says so, and leaves no lease on the server, as far as that can be', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('kv/txn', { message: 'permission denied', code: 7 })
    etcd.answer('lease/revoke', { message: 'permission denied', code: 7 })
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      message: expect.stringContaining('permission denied (gRPC code 7)'),
    })
    expect(etcd.paths.at(-1)).toBe('lease/revoke')
  })

  test('asks nothing if the signal is aborted', async () => {
    const reason = new Error('enough')
    const it = leaser()
    await expect(it.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(it.renew(reference, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(etcd.paths).toEqual([])
  })
})

describe('to renew', () => {
  const kept = (term = '3', TTL = '2'): object => ({ result: { TTL, header: { raft_term: term } } })

  test('keeps the server’s lease alive, and counts from before that', async () => {
    etcd.answer('lease/keepalive', () => {
      now += 900
      return kept()
    })
    etcd.answer('kv/range', found(mine))
    const lease = await leaser().renew(reference)
    expect(etcd.paths).toEqual(['lease/keepalive', 'kv/range'])
    expect(bodyOf('lease/keepalive')).toEqual({ ID: '77' })
    expect(lease).toMatchObject({ generation: 5n, etag: '77', owner: 'me' })
    expect(lease.expiresAt).toEqual(new Date(1_001_500))
  })

  test('does it again as long as the leader was another than the one that a majority has', async () => {
    etcd.answer('lease/keepalive', kept('2'), kept('2'), kept('3'))
    etcd.answer('kv/range', found(mine))
    expect(await leaser().renew(reference)).toMatchObject({ generation: 5n })
    expect(etcd.paths.filter((path) => path === 'lease/keepalive')).toHaveLength(3)
  })

  test('gives up after twenty leaders', async () => {
    etcd.answer('lease/keepalive', kept('2'))
    etcd.answer('kv/range', found(mine))
    await expect(leaser().renew(reference)).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('changed its leader 20 times in a row'),
    })
    expect(etcd.paths).toHaveLength(40)
  })

  test.each(['0', '-1'])('says that it expired if the server gives it %s seconds', async (TTL) => {
    etcd.answer('lease/keepalive', kept('3', TTL))
    await expect(leaser().renew(reference)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      message: expect.stringContaining('it expired'),
    })
    expect(etcd.paths).toEqual(['lease/keepalive'])
  })

  test.each<[string, object, RegExp]>([
    ['it is gone', nothing, /it expired/],
    ['another has it', found(held, 6), /other has generation 6/],
    ['it was released', found({ ...mine, released: true, generation: '5' }, 6), /it was released/],
    ['a later one was released', found(released, 6), /other released it later/],
    ['it was reset', found({ ...released, generation: undefined }, 5), /other released it later/],
  ])('says that it is not held if %s', async (_, answer, message) => {
    etcd.answer('lease/keepalive', kept())
    etcd.answer('kv/range', answer)
    await expect(leaser().renew(reference)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      generation: 5n,
      message: expect.stringMatching(message),
    })
  })

  test.each(['', 'x', '-1', '1'.repeat(20), '7 7'])(
    'refuses the etag %j, which is none of etcd’s',
    async (etag) => {
      const refusal = etag === '' ? 'ERR_LEASE_ETAG_REQUIRED' : 'ERR_LEASE_NOT_HELD'
      await expect(leaser().renew({ generation: 5n, etag })).rejects.toEqual(code(refusal))
      await expect(leaser().release({ generation: 5n, etag })).rejects.toEqual(code(refusal))
      expect(etcd.paths).toEqual([])
    },
  )
})

describe('to release', () => {
  test('writes that it is released, bound to nothing, and then ends the server’s lease', async () => {
    etcd.answer('kv/range', found(mine))
    etcd.answer('kv/txn', swapped)
    await leaser().release(reference)
    expect(etcd.paths).toEqual(['kv/range', 'kv/txn', 'lease/revoke'])
    expect(bodyOf('kv/txn')).toMatchObject({
      compare: [{ target: 'MOD', mod_revision: '5' }],
      success: [{ request_put: { lease: '0' } }],
    })
    expect(valueOf()).toEqual({ ...mine, released: true, generation: '5' })
    expect(bodyOf('lease/revoke')).toEqual({ ID: '77' })
    expect(said).toEqual(['released generation 5 of the lease etcd jobs'])
  })

  test('is done although the server’s lease cannot be ended', async () => {
    etcd.answer('kv/range', found(mine))
    etcd.answer('kv/txn', swapped)
    etcd.answer('lease/revoke', { message: 'permission denied', code: 7 })
    await leaser().release(reference)
    expect(said).toHaveLength(1)
  })

  test('is done if a first copy of the request did it', async () => {
    etcd.answer('kv/range', found(mine), () => written())
    etcd.answer('kv/txn', lost)
    await leaser().release(reference)
    expect(etcd.paths).toEqual(['kv/range', 'kv/txn', 'kv/range', 'lease/revoke'])
  })

  test('says that it expired if it did so meanwhile', async () => {
    etcd.answer('kv/range', found(mine), nothing)
    etcd.answer('kv/txn', lost)
    await expect(leaser().release(reference)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      message: expect.stringContaining('it expired'),
    })
    expect(said).toEqual([])
  })

  test('is refused the second time', async () => {
    etcd.answer('kv/range', found({ ...mine, released: true, generation: '5' }, 6))
    await expect(leaser().release(reference)).rejects.toEqual(code('ERR_LEASE_ALREADY_RELEASED'))
    expect(etcd.paths).toEqual(['kv/range'])
  })
})

describe('to inspect', () => {
  test.each<[string, object, object | null]>([
    ['nobody ever held it', nothing, null],
    ['it is held', found(held), { generation: 5n, held: true, expiresAt: new Date(1_003_000) }],
    ['it was released', found(released), { generation: 4n, held: false, expiresAt: new Date(0) }],
    [
      'it was reset',
      found({ ...released, generation: undefined }),
      { generation: 5n, held: false, expiresAt: new Date(0) },
    ],
  ])('says that %s', async (_, answer, state) => {
    etcd.answer('kv/range', answer)
    etcd.answer('lease/timetolive', { TTL: '3' })
    expect(await leaser().inspect()).toEqual(state && { owner: 'other', problem: null, ...state })
  })

  test.each([
    ['-1', { held: false, expiresAt: new Date(1_000_000), problem: null }],
    ['0', { held: true, expiresAt: new Date(1_000_000), problem: null }],
    ['15', { held: true, problem: null }],
    ['16', { held: true, problem: expect.stringContaining('which is more than the 5000 ms') }],
  ])('looks at the server’s lease: %s seconds', async (TTL, state) => {
    etcd.answer('kv/range', found(held))
    etcd.answer('lease/timetolive', { TTL })
    expect(await leaser().inspect()).toMatchObject(state)
  })

  test('refuses a key that is bound to nothing', async () => {
    etcd.answer('kv/range', found(held, 5, 0))
    await expect(leaser().inspect()).rejects.toEqual(code('ERR_LEASE_CORRUPT'))
  })
})

describe('to reset', () => {
  test('writes that it is released, whatever is there, until nobody is faster', async () => {
    etcd.answer('kv/range', found('garbage'), found(held, 6), found(held, 7))
    etcd.answer('kv/txn', lost, swapped)
    await leaser().reset()
    expect(etcd.paths).toEqual(['kv/range', 'kv/txn', 'kv/range', 'kv/range', 'kv/txn'])
    const revisions = etcd.asked
      .filter(({ path }) => path === 'kv/txn')
      .map(({ body }) => (body['compare'] as { mod_revision: string }[])[0]?.mod_revision)
    expect(revisions).toEqual(['5', '7'])
    expect(valueOf()).toEqual({ owner: 'me', nonce: expect.any(String), released: true })
    expect(said).toEqual(['reset the lease etcd jobs at revision 8'])
  })

  test('gives up after twenty times', async () => {
    etcd.answer('kv/range', found(held))
    etcd.answer('kv/txn', lost)
    await expect(leaser().reset()).rejects.toEqual(code('ERR_LEASE_UNAVAILABLE'))
    expect(etcd.paths.filter((path) => path === 'kv/txn')).toHaveLength(20)
  })

  test('of what nobody held makes the key', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('kv/txn', swapped)
    await leaser().reset()
    expect(bodyOf('kv/txn')).toMatchObject({ compare: [{ target: 'CREATE' }] })
  })
})

describe('an answer of etcd that is expected', () => {
  test('that the lease exists already: a first copy of the request made it', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('lease/grant', { message: 'etcdserver: lease already exists', code: 9 })
    etcd.answer('kv/txn', swapped)
    expect(await leaser().acquire()).toMatchObject({ generation: 8n })
  })

  test('that the lease ended before the key was bound to it: it is tried again', async () => {
    etcd.answer('kv/range', nothing)
    etcd.answer('kv/txn', { message: 'etcdserver: requested lease not found', code: 5 }, swapped)
    expect(await leaser().acquire()).toMatchObject({ generation: 8n })
    expect(etcd.paths.filter((path) => path === 'lease/grant')).toHaveLength(2)
  })

  test('that the lease to be ended is not there', async () => {
    etcd.answer('kv/range', found(mine))
    etcd.answer('kv/txn', swapped)
    etcd.answer('lease/revoke', { message: 'etcdserver: requested lease not found', code: 5 })
    await leaser().release(reference)
    expect(etcd.paths.filter((path) => path === 'lease/revoke')).toHaveLength(1)
  })
})
