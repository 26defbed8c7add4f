// @vitest-environment-options { "alone": "etcd/etcd-gateway" }
import type * as Timers from 'node:timers/promises'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { EtcdGateway, type EtcdUser } from '../../src/etcd/etcd-gateway.ts'
import { fetchSender } from '../../src/etcd/etcd-sender.ts'
import { pauses } from '../pauses.ts'
import { whatIsLeft } from '../what-is-left.ts'
import { ScriptedEtcd, type Answer } from './scripted-etcd.ts'

vi.mock('node:timers/promises', async (original) => {
  const { pauses: replaced } = await import('../pauses.ts')
  return replaced.replacing(await original<typeof Timers>())
})

let etcd: ScriptedEtcd

beforeEach(() => {
  etcd = new ScriptedEtcd()
  pauses.reset()
})

interface Settings {
  readonly endpoints?: readonly string[]
  readonly timeout?: number
  readonly user?: EtcdUser
  readonly headers?: Record<string, string>
  readonly send?: typeof fetch
}

function gateway(settings: Settings = {}): EtcdGateway {
  const { endpoints = ['http://one'], timeout = 10_000, headers = {}, send, user } = settings
  return new EtcdGateway('here', endpoints, timeout, headers, fetchSender(send ?? etcd.fetch), user)
}

const ask = (of: EtcdGateway, signal?: AbortSignal) =>
  of.ask<object>('/v3/kv/range', { key: 'x' }, signal)
const members = (): string[] => etcd.asked.map(({ member }) => member)
const refusal = (code: number, message = 'no'): object => ({ message, code })
const three = ['http://one', 'http://two', 'http://three']
const down = new Error('ECONNREFUSED')

describe('members are asked', () => {
  test('and an error that is null is none', async () => {
    etcd.answer('kv/range', { error: null })
    expect(await ask(gateway())).toEqual({ error: null })
  })

  test('with what is wanted, in JSON', async () => {
    etcd.answer('kv/range', { header: {} })
    expect(await ask(gateway({ headers: { 'x-mine': 'yes' } }))).toEqual({ header: {} })
    expect(etcd.asked).toMatchObject([{ member: 'one', path: 'kv/range', body: { key: 'x' } }])
    const { headers } = etcd.asked[0]!
    expect(Object.fromEntries(headers)).toEqual({
      'content-type': 'application/json',
      'x-mine': 'yes',
    })
  })

  test('one after the other until one answers, which is asked first from then on', async () => {
    const it = gateway({ endpoints: three })
    etcd.answer('kv/range', down, {})
    await ask(it)
    expect(members()).toEqual(['one', 'two'])
    etcd.answer('kv/range', {}, down, down, {})
    await ask(it)
    expect(members().slice(2)).toEqual(['two'])
    await ask(it)
    expect(members().slice(3)).toEqual(['two', 'three', 'one'])
    expect(pauses.times).toEqual([])
  })

  test('four times each, with pauses between the rounds that grow', async () => {
    etcd.answer('kv/range', down)
    await expect(ask(gateway({ endpoints: three }))).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      cause: down,
      message: expect.stringContaining('at http://one, http://two, http://three: ECONNREFUSED'),
    })
    const round = ['one', 'two', 'three']
    expect(members()).toEqual([...round, ...round, ...round, ...round])
    expect(pauses.times).toHaveLength(3)
    for (const [index, ms] of pauses.times.entries()) {
      expect(ms).toBeGreaterThanOrEqual(50 * 2 ** index)
      expect(ms).toBeLessThanOrEqual(150 * 2 ** index)
    }
  })

  test.each([1, 2, 4, 8, 10, 13, 14])('again after gRPC code %i, which may pass', async (code) => {
    etcd.answer('kv/range', refusal(code), {})
    expect(await ask(gateway())).toEqual({})
    expect(members()).toHaveLength(2)
  })

  test.each([3, 5, 6, 7, 9, 11, 12, 15, 16])('no more after gRPC code %i', async (code) => {
    etcd.answer('kv/range', refusal(code))
    await expect(ask(gateway({ endpoints: three }))).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: { code, message: 'no' },
      message: expect.stringContaining(`no (gRPC code ${code}); check the endpoints`),
    })
    expect(members()).toHaveLength(1)
  })

  test.each<[string, Answer, string]>([
    ['a refusal of a stream', { error: { message: 'no', grpc_code: 7 } }, 'no (gRPC code 7)'],
    ['a refusal in two words', { error: 'no', code: 7 }, 'no (gRPC code 7)'],
  ])('no more after %s', async (_, answer, message) => {
    etcd.answer('kv/range', answer)
    await expect(ask(gateway())).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      message: expect.stringContaining(message),
    })
    expect(members()).toHaveLength(1)
  })

  test.each<[string, Answer, string]>([
    ['a stream that fails without a code', { error: { message: 'no' } }, 'no (gRPC code 2)'],
    ['no object', '7', 'no JSON object (gRPC code 14)'],
    ['null', 'null', 'no JSON object (gRPC code 14)'],
    ['no JSON', '{', 'JSON'],
  ])('again after %s', async (_, answer, message) => {
    etcd.answer('kv/range', answer)
    await expect(ask(gateway())).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining(message),
    })
    expect(members()).toHaveLength(4)
  })

  test.each([
    [500, 'ERR_LEASE_UNAVAILABLE', 4],
    [502, 'ERR_LEASE_UNAVAILABLE', 4],
    [499, 'ERR_LEASE_STORE', 1],
    [404, 'ERR_LEASE_STORE', 1],
    [300, 'ERR_LEASE_STORE', 1],
  ])('after status %i with words: %s', async (status, code, times) => {
    etcd.status = status
    etcd.answer('kv/range', '  not etcd  ')
    await expect(ask(gateway())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`http://one/v3/kv/range answered ${status}: not etcd`),
    })
    expect(members()).toHaveLength(times)
  })

  test.each([200, 299, 400])('and an object counts with status %i', async (status) => {
    etcd.status = status
    etcd.answer('kv/range', { header: {} })
    expect(await ask(gateway())).toEqual({ header: {} })
  })

  test('and what may be refused is null', async () => {
    etcd.answer('kv/range', refusal(5, 'lease not found'))
    const it = gateway()
    const mayRefuse = ({ message }: { message: string }) => message === 'lease not found'
    expect(await it.ask('/v3/kv/range', {}, undefined, mayRefuse)).toBeNull()
    expect(members()).toHaveLength(1)
  })
})

/** A `fetch` that never answers, and can be aborted. */
const silent: typeof fetch = async (_url, init) =>
  await new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
  })

describe('a request ends', () => {
  test('when a member does not answer in its time', async () => {
    await expect(ask(gateway({ timeout: 5, send: silent }))).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('did not answer within 5 ms'),
    })
  })

  test('with the reason of the signal, before it, during it and during a pause', async () => {
    const reason = new Error('enough')
    await expect(ask(gateway(), AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(members()).toEqual([])
    const during = new AbortController()
    const asking = ask(gateway({ send: silent, timeout: 600_000 }), during.signal)
    during.abort(reason)
    await expect(asking).rejects.toBe(reason)
    const between = new AbortController()
    etcd.answer('kv/range', () => {
      between.abort(reason)
      return refusal(14)
    })
    await expect(ask(gateway(), between.signal)).rejects.toBe(reason)
    expect(members()).toEqual(['one'])
  })

  test('and leaves no timer, and nobody who listens to the signal', async () => {
    const left = await whatIsLeft(async (signal, during) => {
      etcd.answer('kv/range', () => {
        during()
        return {}
      })
      await ask(gateway(), signal)
    })
    expect(left.timers).toEqual([1, 0])
    expect(left.added).toHaveLength(1)
    expect(left.removed).toEqual(left.added)
  })
})

describe('a user', () => {
  const user = { name: 'worker', password: 'secret' }
  const tokens = (): (string | null)[] =>
    etcd.asked
      .filter(({ path }) => path === 'kv/range')
      .map(({ headers }) => headers.get('authorization'))

  test('proves who it is once, to the member that is asked, and then has a token', async () => {
    etcd.answer('auth/authenticate', { token: 'of one' })
    const it = gateway({ user })
    await ask(it)
    await ask(it)
    expect(etcd.paths).toEqual(['auth/authenticate', 'kv/range', 'kv/range'])
    expect(etcd.asked[0]).toMatchObject({ member: 'one', body: user })
    expect(tokens()).toEqual(['of one', 'of one'])
  })

  test.each<[string, object]>([
    ['code 16', refusal(16, 'unauthenticated')],
    ['a word about the token', refusal(3, 'etcdserver: invalid auth token')],
    ['a word about the users', refusal(3, 'auth: revision in header is old: auth store is old')],
  ])('proves it again if its token has ended, as %s says', async (_, stale) => {
    etcd.answer('auth/authenticate', { token: 'old' }, { token: 'new' })
    etcd.answer('kv/range', stale, {})
    expect(await ask(gateway({ user }))).toEqual({})
    expect(tokens()).toEqual(['old', 'new'])
  })

  test('is refused for good if the password is wrong', async () => {
    etcd.answer('auth/authenticate', refusal(3, 'authentication failed'))
    await expect(ask(gateway({ user }))).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      message: expect.stringContaining('authentication failed'),
    })
    expect(etcd.paths).toEqual(['auth/authenticate'])
  })

  test.each<[string, object]>([
    ['knows no users', refusal(9, 'etcdserver: authentication is not enabled')],
    ['gives no token', {}],
  ])('needs none for an etcd that %s', async (_, answer) => {
    etcd.answer('auth/authenticate', answer)
    const it = gateway({ user })
    await ask(it)
    await ask(it)
    expect(etcd.paths).toEqual(['auth/authenticate', 'kv/range', 'kv/range'])
    expect(tokens()).toEqual([null, null])
  })

  test('that is none is not asked for, and a word about tokens is then a refusal', async () => {
    etcd.answer('kv/range', refusal(16, 'etcdserver: invalid auth token'))
    await expect(ask(gateway())).rejects.toMatchObject({ code: 'ERR_LEASE_STORE' })
    expect(etcd.paths).toEqual(['kv/range'])
  })
})
