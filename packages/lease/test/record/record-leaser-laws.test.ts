import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileStore } from '../../src/file/file-store.ts'
import { RecordLeaser } from '../../src/record-leaser.ts'
import { decodeRecord, encodeRecord, type LeaseRecord } from '../../src/record.ts'
import type { RecordStore } from '../../src/record-store.ts'
import { Terms } from '../../src/terms.ts'

let directory: TemporaryDirectory
let store: FileStore
/** The time by every clock. */
let now: number
const said: string[] = []

beforeEach(() => {
  directory = temporaryDirectory()
  store = new FileStore(directory.path, 'lock.json', {})
  now = Date.UTC(2026, 0, 1)
  said.length = 0
})
afterEach(() => directory[Symbol.dispose]())

function leaser(
  owner: string,
  { clockSkew = 0, through = store }: { clockSkew?: number; through?: RecordStore<number> } = {},
): RecordLeaser<number> {
  const note = (message: string): void => void said.push(message)
  const logger = { debug: note, warn: note }
  const options = { owner, ttl: 10_000, maxTtl: 30_000, clock: () => now, logger }
  return new RecordLeaser('file', through, new Terms(options, clockSkew))
}

/** Puts a record in place, as somebody else would. */
async function put(record: Partial<LeaseRecord> | string): Promise<void> {
  const whole = { generation: 7n, expiresAt: now, owner: 'other', nonce: 'x' }
  const bytes =
    typeof record === 'string' ? Buffer.from(record) : encodeRecord({ ...whole, ...record })
  expect(await store.swap(await store.read(), bytes)).not.toBeNull()
}

async function stored(): Promise<LeaseRecord> {
  const { bytes } = await store.read()
  return decodeRecord(bytes ?? new Uint8Array())
}

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe('a lease in a record', () => {
  test('is held to the last millisecond before its end, and free at its end', async () => {
    await put({ expiresAt: now + 1 })
    await expect(leaser('me').acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_EXISTS',
      owner: 'other',
      expiresAt: new Date(now + 1),
    })
    expect(await leaser('me').inspect()).toMatchObject({ held: true, problem: null })
    now += 1
    expect(await leaser('me').inspect()).toMatchObject({ held: false, problem: null })
    const lease = await leaser('me').acquire()
    expect(lease).toMatchObject({ generation: 8n, owner: 'me', expiresAt: new Date(now + 10_000) })
    expect(await stored()).toMatchObject({ generation: 8n, owner: 'me', expiresAt: now + 10_000 })
    expect(said).toEqual([`acquired generation 8 of the lease ${store.place}`])
  })

  test('lasts as long as was asked for, from its acquisition and from each renewal', async () => {
    const it = leaser('me')
    const lease = await it.acquire({ ttl: 3_000 })
    expect(lease.expiresAt).toEqual(new Date(now + 3_000))
    now += 2_000
    const renewed = await it.renew(lease, { ttl: 20_000 })
    expect(renewed.expiresAt).toEqual(new Date(now + 20_000))
    expect((await it.renew(renewed)).expiresAt).toEqual(new Date(now + 10_000))
  })

  test('may end as far away as the longest that is granted and clocks may differ, and no further', async () => {
    const near = leaser('me', { clockSkew: 500 })
    const end = now + 30_500
    await put({ expiresAt: end })
    await expect(near.acquire()).rejects.toEqual(code('ERR_LEASE_EXISTS'))
    expect(await near.inspect()).toMatchObject({ held: true, problem: null })
    await put({ expiresAt: end + 1 })
    await expect(near.acquire()).rejects.toEqual(code('ERR_LEASE_CORRUPT'))
    const problem = `other claims it until ${new Date(end + 1).toISOString()}, which is further away than the 30000 ms that are granted at most`
    expect(await near.inspect()).toMatchObject({ held: true, problem })
  })

  test('of another program, which wrote no nonce, gets one with its first renewal, and with its release', async () => {
    const it = leaser('me')
    for (const change of ['renew', 'release'] as const) {
      await put({ expiresAt: now + 5_000, owner: 'me', nonce: null })
      const found = await store.read()
      const reference = { generation: 7n, etag: 'etag' in found ? found.etag : '' }
      await it[change](reference)
      expect((await stored()).nonce).toMatch(/^[\da-f-]{36}$/)
    }
  })

  test('keeps its nonce through its renewals and its release', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    const { nonce } = await stored()
    await it.renew(lease)
    expect((await stored()).nonce).toBe(nonce)
    await it.release(lease)
    expect(await stored()).toMatchObject({ nonce, expiresAt: 0, owner: 'me', generation: 1n })
    expect(said.at(-1)).toBe(`released generation 1 of the lease ${store.place}`)
  })

  test('is known by its etag from another process, and by its nonce after a renewal without an answer', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    const { generation, etag } = lease
    now += 1
    const renewed = await it.renew({ generation, etag })
    // Another process knows the etag alone, and that is an old one now.
    await expect(it.renew({ generation, etag })).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      message: expect.stringContaining('me has generation 1'),
    })
    expect(renewed.etag).not.toBe(etag)
    expect((await it.renew(lease)).generation).toBe(1n)
  })

  test.each([
    ['another generation', { generation: 8n }],
    ['another nonce, after a reset', { nonce: 'y' }],
    ['no nonce', { nonce: null }],
  ])('is not taken for a record with %s', async (_, other) => {
    const it = leaser('me')
    const lease = await it.acquire()
    const record = await stored()
    await put({ ...record, ...other })
    await expect(it.renew(lease)).rejects.toEqual(code('ERR_LEASE_NOT_HELD'))
    await expect(it.release(lease)).rejects.toEqual(code('ERR_LEASE_NOT_HELD'))
  })

  test('with the right etag is not taken for one of another generation', async () => {
    const it = leaser('me')
    const { etag } = await it.acquire()
    await expect(it.renew({ generation: 2n, etag })).rejects.toEqual(code('ERR_LEASE_NOT_HELD'))
  })

  test('that is released is neither renewed nor released again, which is told apart', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    await it.release(lease)
    await expect(it.renew(lease)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      message: expect.stringContaining('it was released'),
    })
    await expect(it.release(lease)).rejects.toEqual(code('ERR_LEASE_ALREADY_RELEASED'))
  })

  test('that is over, and that nobody took, is renewed and released', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    now += 60_000
    const renewed = await it.renew(lease)
    expect(renewed.expiresAt).toEqual(new Date(now + 10_000))
    now += 60_000
    await it.release(renewed)
    expect(await it.inspect()).toMatchObject({ held: false })
  })

  test('that is gone is not held', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    const empty = leaser('me', {
      through: {
        place: store.place,
        read: async () => ({ bytes: null, version: 0 }),
        swap: async () => null,
      },
    })
    await expect(empty.renew(lease)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      message: expect.stringContaining('nothing is stored any more'),
    })
    expect(await empty.inspect()).toBeNull()
  })
})

describe('a reset', () => {
  test('frees what is held, with a generation above', async () => {
    await put({ expiresAt: now + 60_000 })
    await leaser('me').reset()
    expect(await stored()).toMatchObject({ generation: 8n, expiresAt: 0, owner: 'me' })
    expect(said).toEqual([`reset the lease ${store.place} to generation 8`])
  })

  test('of what nobody held makes generation 1', async () => {
    await leaser('me').reset()
    expect(await stored()).toMatchObject({ generation: 1n, expiresAt: 0 })
  })

  test('of what cannot be read goes on from the time', async () => {
    await put('no record')
    await expect(leaser('me').inspect()).rejects.toEqual(code('ERR_LEASE_CORRUPT'))
    now += 0.25
    await leaser('me').reset()
    expect((await stored()).generation).toBe(BigInt(Math.floor(now)))
  })
})

describe('a store that others change', () => {
  /** The real store, with somebody who is faster so many times. */
  function overtaken(times: number): RecordStore<number> & { swaps: number } {
    const through = {
      swaps: 0,
      place: store.place,
      read: (signal?: AbortSignal) => store.read(signal),
      swap: async (...words: Parameters<FileStore['swap']>) => {
        through.swaps++
        return through.swaps <= times ? null : await store.swap(...words)
      },
    }
    return through
  }

  test('is tried a hundred times, each time with what is there then', async () => {
    const through = overtaken(99)
    expect(await leaser('me', { through }).acquire()).toMatchObject({ generation: 1n })
    expect(through.swaps).toBe(100)
  })

  test('is given up after a hundred times', async () => {
    const through = overtaken(100)
    await expect(leaser('me', { through }).acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('was changed by others 100 times in a row'),
    })
    expect(through.swaps).toBe(100)
  })

  test('is given up when the signal is aborted, which is looked at before each try', async () => {
    const through = overtaken(100)
    const abort = new AbortController()
    const reason = new Error('enough')
    const swap = through.swap.bind(through)
    through.swap = async (...words) => {
      const swapped = await swap(...words)
      abort.abort(reason)
      return swapped
    }
    const it = leaser('me', { through })
    await expect(it.acquire({ signal: abort.signal })).rejects.toBe(reason)
    expect(through.swaps).toBe(1)
    await expect(it.acquire({ signal: abort.signal })).rejects.toBe(reason)
    expect(through.swaps).toBe(1)
  })

  test('is made ready before it is read, for a change and for a look', async () => {
    const steps: string[] = []
    const through: RecordStore<number> = {
      place: store.place,
      ready: async () => void steps.push('ready'),
      read: async (signal) => {
        steps.push('read')
        return await store.read(signal)
      },
      swap: (base, next) => store.swap(base, next),
    }
    const it = leaser('me', { through })
    await it.inspect()
    await it.acquire()
    expect(steps).toEqual(['ready', 'read', 'ready', 'read'])
  })

  test('is told the signal', async () => {
    const signals: unknown[] = []
    const through: RecordStore<number> = {
      place: store.place,
      read: async (signal) => {
        signals.push(signal)
        return await store.read(signal)
      },
      swap: async (base, next, signal) => {
        signals.push(signal)
        return await store.swap(base, next)
      },
    }
    const { signal } = new AbortController()
    const it = leaser('me', { through })
    const lease = await it.acquire({ signal })
    await it.renew(lease, { signal })
    await it.release(lease, { signal })
    await it.reset({ signal })
    await it.inspect({ signal })
    expect(signals).toHaveLength(9)
    expect(new Set(signals)).toEqual(new Set([signal]))
  })

  test('that fails is no release by another', async () => {
    const it = leaser('me')
    const lease = await it.acquire()
    const failure = new Error('EIO')
    const through: RecordStore<number> = {
      place: store.place,
      read: (signal) => store.read(signal),
      swap: async () => {
        throw failure
      },
    }
    await expect(leaser('me', { through }).release(lease)).rejects.toBe(failure)
    expect(await it.inspect()).toMatchObject({ held: true })
  })
})
