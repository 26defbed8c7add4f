// @vitest-environment-options { "alone": "s3/s3-store" }
import type * as Timers from 'node:timers/promises'
import * as library from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { S3Object } from '../../src/s3/s3-object.ts'
import type { S3Sender } from '../../src/s3/s3-sender.ts'
import { S3Store } from '../../src/s3/s3-store.ts'
import { pauses } from '../pauses.ts'
import { whatIsLeft } from '../what-is-left.ts'

vi.mock('node:timers/promises', async (original) => {
  const { pauses: replaced } = await import('../pauses.ts')
  return replaced.replacing(await original<typeof Timers>())
})

/** What the store answers: an object that is there, an etag, or a refusal. */
type Answer = { text: string; etag?: string } | { etag: string } | Error | object

let puts: Answer[]
let gets: Answer[]
let deletes: Answer[]
/** What was asked for, in its order, with the condition of a PUT. */
const asked: string[] = []
const said: string[] = []

beforeEach(() => {
  puts = []
  gets = []
  deletes = [{}]
  asked.length = 0
  said.length = 0
  pauses.reset()
})

interface Sent {
  readonly input: {
    Bucket?: string
    Key?: string
    IfMatch?: string
    IfNoneMatch?: string
    Body?: Uint8Array
  }
}

/** The body of each PUT. */
const bodies: string[] = []
/** The bucket and the key of each request. */
const named: string[] = []

const sender = {
  send: async (command: Sent): Promise<unknown> => {
    const kind = command.constructor.name.replace('ObjectCommand', '').toLowerCase()
    const { Bucket, Key, IfMatch, IfNoneMatch, Body } = command.input
    named.push(`${Bucket} ${Key}`)
    const condition = IfMatch ?? (IfNoneMatch === undefined ? '' : `none ${IfNoneMatch}`)
    asked.push(`${kind} ${condition}`.trim())
    if (kind === 'put') bodies.push(Buffer.from(Body ?? []).toString())
    const list = { put: puts, get: gets, delete: deletes }[kind] ?? []
    const answer = (list.length > 1 ? list.shift() : list[0]) ?? refusal(404, 'NoSuchKey')
    if (answer instanceof Error) throw answer
    if (!('text' in answer)) return 'etag' in answer ? { ETag: answer.etag } : answer
    const { text, etag = '"old"' } = answer as { text: string; etag?: string }
    return { ETag: etag, Body: { transformToByteArray: async () => Buffer.from(text) } }
  },
} as unknown as S3Sender

const object = (key: string, send = sender, timeout = 10_000): S3Object =>
  new S3Object(library, send, 'bucket', key, timeout)

function store(prove = false): S3Store {
  const note = (message: string): void => void said.push(message)
  return new S3Store((key) => object(key), 'lock.json', prove, { debug: note, warn: note })
}

/** What the SDK throws for an answer; without a status none came. */
function refusal(status: number, name: string): Error {
  const about = status === 0 ? {} : { $metadata: { httpStatusCode: status } }
  return Object.assign(new Error(`${name} of the store`), { name, ...about })
}

const there = { bytes: Buffer.from('old'), etag: '"old"', version: '"old"' }
const absent = { bytes: null, version: null }
const next = Buffer.from('next')
const unclear: [string, Error][] = [
  ['nothing', refusal(0, 'TimeoutError')],
  ['408', refusal(408, 'RequestTimeout')],
  ['409', refusal(409, 'ConditionalRequestConflict')],
  ['429', refusal(429, 'TooManyRequests')],
  ['500', refusal(500, 'InternalError')],
  ['503', refusal(503, 'SlowDown')],
]
const final: [string, Error][] = [
  ['400', refusal(400, 'BadRequest')],
  ['403', refusal(403, 'AccessDenied')],
  ['499', refusal(499, 'Odd')],
  ['301', refusal(301, 'PermanentRedirect')],
  ['no credentials', refusal(0, 'CredentialsProviderError')],
  ['an option that the SDK does not take', refusal(0, 'TypeError')],
  ['no such bucket', refusal(404, 'NoSuchBucket')],
]

describe('a read', () => {
  test('gives what is there, with its etag as it came', async () => {
    gets = [{ text: 'old', etag: '"old"' }]
    expect(await store().read()).toEqual(there)
  })

  test('of an object that is not there gives nothing', async () => {
    gets = [refusal(404, 'NoSuchKey')]
    expect(await store().read()).toEqual(absent)
  })

  test('of an object without a body gives no bytes', async () => {
    gets = [{ ETag: '"old"' }]
    expect(await store().read()).toMatchObject({ etag: '"old"' })
  })

  test.each(unclear)('is repeated after %s', async (_, answer) => {
    gets = [answer, { text: 'old' }]
    expect(await store().read()).toEqual(there)
    expect(asked).toEqual(['get', 'get'])
  })

  test.each(final)('is refused after %s, at once', async (_, answer) => {
    gets = [answer]
    await expect(store().read()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: answer,
      message: expect.stringContaining(`${answer.name}: ${answer.message} (status`),
    })
    expect(asked).toEqual(['get'])
  })

  test.each([
    [refusal(503, 'SlowDown'), 'answered 503, 5 times'],
    [refusal(0, 'TimeoutError'), 'did not answer, 5 times'],
  ])('is given up after five times, with pauses that grow: %s', async (answer, message) => {
    gets = [answer]
    await expect(store().read()).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      cause: answer,
      message: expect.stringContaining(message),
    })
    expect(asked).toHaveLength(5)
    expect(pauses.times).toHaveLength(4)
    for (const [index, ms] of pauses.times.entries()) {
      expect(ms).toBeGreaterThanOrEqual(25 * 2 ** index)
      expect(ms).toBeLessThanOrEqual(75 * 2 ** index)
    }
  })

  test('ends with the reason of the signal, before it and in a pause', async () => {
    const reason = new Error('enough')
    await expect(store().read(AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(asked).toEqual([])
    const abort = new AbortController()
    pauses.during = () => abort.abort(reason)
    gets = [refusal(503, 'SlowDown')]
    await expect(store().read(abort.signal)).rejects.toBe(reason)
    expect(asked).toEqual(['get'])
  })
})

describe('a swap', () => {
  test.each([
    [there, 'put "old"'],
    [absent, 'put none *'],
  ])('replaces exactly what was there: %j by %s', async (base, put) => {
    puts = [{ etag: '"new"' }]
    expect(await store().swap(base, next)).toEqual({ etag: '"new"', present: true })
    expect(asked).toEqual([put])
    expect(bodies.at(-1)).toBe('next')
  })

  const lost: [string, Error][] = [
    ['412', refusal(412, 'PreconditionFailed')],
    ['404', refusal(404, 'NoSuchKey')],
    ...unclear,
  ]
  test.each(lost)('that is answered by %s was done if it is there', async (_, answer) => {
    puts = [answer]
    gets = [{ text: 'next', etag: '"new"' }]
    expect(await store().swap(there, next)).toEqual({ etag: '"new"', present: true })
    expect(asked).toEqual(['put "old"', 'get'])
  })

  test.each(lost)('that is answered by %s is lost if another is there', async (_, answer) => {
    puts = [answer]
    gets = [{ text: 'another', etag: '"other"' }]
    expect(await store().swap(there, next)).toBeNull()
    gets = [refusal(404, 'NoSuchKey')]
    expect(await store().swap(there, next)).toBeNull()
  })

  test.each(lost)(
    'that is answered by %s is repeated if nothing has changed',
    async (_, answer) => {
      puts = [answer, { etag: '"new"' }]
      gets = [{ text: 'old' }]
      expect(await store().swap(there, next)).toEqual({ etag: '"new"', present: true })
      expect(asked).toEqual(['put "old"', 'get', 'put "old"'])
    },
  )

  test.each(final)('is refused after %s, at once', async (_, answer) => {
    puts = [answer]
    await expect(store().swap(there, next)).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: answer,
    })
    expect(asked).toEqual(['put "old"'])
  })

  test('is given up after five times, and says what came', async () => {
    puts = [refusal(503, 'SlowDown')]
    gets = [{ text: 'old' }]
    await expect(store().swap(there, next)).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('answered 503, 5 times'),
    })
    expect(asked.filter((one) => one.startsWith('put'))).toHaveLength(5)
    expect(said).toEqual(
      Array.from({ length: 5 }, () => 'unclear answer 503 from s3://bucket/lock.json'),
    )
    puts = [refusal(412, 'PreconditionFailed')]
    await expect(store().swap(there, next)).rejects.toMatchObject({
      message: expect.stringContaining('did not answer, 5 times'),
    })
  })
})

describe('a request', () => {
  test('names the object by its bucket and key', async () => {
    named.length = 0
    const it = object('jobs/lock.json')
    await it.get()
    await it.put(next, { absent: true })
    await it.delete()
    expect(named).toEqual(Array.from({ length: 3 }, () => 'bucket jobs/lock.json'))
  })

  /** A store that answers nothing until it is aborted. */
  const silent = {
    send: async (_command: unknown, { abortSignal }: { abortSignal: AbortSignal }) =>
      await new Promise((_resolve, reject) => {
        abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error))
      }),
  } as unknown as S3Sender

  test('ends when nothing is answered in its time', async () => {
    expect(await object('x', silent, 5).get()).toMatchObject({
      status: 0,
      error: { message: 'no answer within 5 ms' },
    })
  })

  test('ends with the reason of the signal', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const asking = object('x', silent, 2 ** 30).get(abort.signal)
    abort.abort(reason)
    await expect(asking).rejects.toBe(reason)
  })

  test('leaves no timer, and nobody who listens to the signal', async () => {
    const left = await whatIsLeft(async (signal, during) => {
      gets = [
        {
          get text() {
            during()
            return 'old'
          },
        },
      ]
      await object('x').get(signal)
    })
    expect(left.timers).toEqual([1, 0])
    expect(left.added).toHaveLength(1)
    expect(left.removed).toEqual(left.added)
  })
})

describe('a proof that conditions are kept', () => {
  const stale = refusal(412, 'PreconditionFailed')
  const other = { text: 'other' }
  const proven = ['put none *', 'put none *', 'get', 'put "one"', 'put "one"', 'get', 'delete']

  test('is made once, before the first use, and then the store is used', async () => {
    puts = [{ etag: '"one"' }, stale, { etag: '"two"' }, stale, { etag: '"new"' }]
    gets = [other]
    const it = store(true)
    await it.ready()
    await it.ready()
    expect(asked).toEqual(proven)
    expect(said).toEqual([])
    await it.swap(there, next)
    expect(asked.at(-1)).toBe('put "old"')
  })

  test('finds a store that compares etags without quotes, and then gives them so', async () => {
    puts = [{ etag: '"one"' }, stale, stale, { etag: '"two"' }, stale, { etag: '"new"' }]
    gets = [other]
    const it = store(true)
    await it.ready()
    expect(asked.filter((one) => one.startsWith('put'))).toEqual([
      'put none *',
      'put none *',
      'put "one"',
      'put one',
      'put one',
    ])
    await it.swap({ ...there, version: 'W/"old"' }, next)
    expect(asked.at(-1)).toBe('put old')
  })

  test.each<[string, Answer[], RegExp]>([
    ['refuses a new object', [stale], /refuses If-None-Match: \* for a new object/],
    ['overwrites although none is wanted', [{ etag: '"one"' }], /ignores If-None-Match: \*/],
    [
      'refuses the present etag',
      [{ etag: '"one"' }, stale, stale, stale],
      /refuses If-Match with the present ETag/,
    ],
    [
      'takes a stale etag',
      [{ etag: '"one"' }, stale, { etag: '"two"' }, { etag: '"three"' }],
      /ignores a stale If-Match and overwrites/,
    ],
    ['knows no conditions', [refusal(501, 'NotImplemented')], /does not implement conditions/],
    [
      'forgets what was written',
      [{ etag: '"one"' }, stale, refusal(404, 'NoSuchKey')],
      /an object that was just written is not there/,
    ],
  ])('finds a store that %s unsafe, and deletes what it wrote', async (_, answers, message) => {
    puts = answers
    gets = [other]
    await expect(store(true).ready()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE_UNSAFE',
      message: expect.stringMatching(message),
    })
    expect(asked.at(-1)).toBe('delete')
  })

  test('takes for done what is there although it was refused: its first copy was done', async () => {
    puts = [stale, stale, { etag: '"two"' }, stale]
    let looks = 0
    gets = [
      // What is there is what was just written.
      {
        get text() {
          looks++
          return looks === 1 ? bodies.at(-1) : 'other'
        },
        etag: '"one"',
      },
    ]
    await store(true).ready()
    expect(asked).toEqual(['put none *', 'get', ...proven.slice(1)])
  })

  test.each(unclear)('repeats a step after %s', async (_, answer) => {
    puts = [answer, { etag: '"one"' }, stale, { etag: '"two"' }, stale]
    gets = [other]
    await store(true).ready()
    expect(asked).toEqual(['put none *', 'get', ...proven])
  })

  test.each([
    [500, 'answered 500'],
    [0, 'did not answer'],
  ])(
    'gives a step up after four times with status %i, and is made again',
    async (status, message) => {
      puts = [refusal(status, 'Odd')]
      gets = [other]
      const it = store(true)
      await expect(it.ready()).rejects.toMatchObject({
        code: 'ERR_LEASE_UNAVAILABLE',
        message: expect.stringContaining(message),
      })
      expect(asked.filter((one) => one.startsWith('put'))).toHaveLength(4)
      puts = [{ etag: '"one"' }, stale, { etag: '"two"' }, stale]
      asked.length = 0
      await it.ready()
      expect(asked).toEqual(proven)
    },
  )

  test.each(final)('is refused after %s, at once', async (_, answer) => {
    puts = [answer]
    gets = [other]
    await expect(store(true).ready()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: answer,
      message: expect.stringContaining(`${answer.name}: ${answer.message} (status`),
    })
    expect(asked).toEqual(['put none *', 'get', 'delete'])
  })

  test('says what it could not delete', async () => {
    puts = [{ etag: '"one"' }, stale, { etag: '"two"' }, stale]
    gets = [other]
    deletes = [refusal(403, 'AccessDenied')]
    await store(true).ready()
    expect(said).toEqual([
      expect.stringMatching(/^cannot delete s3:\/\/bucket\/lock\.json\.probe-/),
    ])
  })

  test('takes a refusal for one if nothing is there', async () => {
    puts = [stale]
    gets = [refusal(404, 'NoSuchKey')]
    await expect(store(true).ready()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE_UNSAFE',
      message: expect.stringMatching(/refuses If-None-Match: \* for a new object/),
    })
  })

  test('repeats a refused step if what is there cannot be read: its first copy may have been done', async () => {
    const unread = refusal(503, 'SlowDown')
    const own = { ...other, etag: '"one"' }
    Object.defineProperty(own, 'text', { get: () => bodies.at(-1) })
    puts = [stale, stale, stale, stale, stale, stale]
    gets = [unread, own, other, unread, own, other]
    await store(true).ready()
    const steps = ['put none *', 'put none *', 'put none *', 'put "one"', 'put "one"', 'put "one"']
    expect(asked).toEqual([...steps.flatMap((step) => [step, 'get']), 'delete'])
  })

  test.each([
    [503, 'ERR_LEASE_UNAVAILABLE', 'answered 503'],
    [0, 'ERR_LEASE_UNAVAILABLE', 'did not answer'],
    [403, 'ERR_LEASE_STORE', 'check bucket and permissions'],
  ])(
    'does not call a store unsafe if its objects cannot be read: status %i',
    async (status, code, message) => {
      puts = [stale]
      gets = [refusal(status, 'Odd')]
      await expect(store(true).ready()).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    },
  )

  test('needs nobody who is told what it could not delete', async () => {
    puts = [{ etag: '"one"' }, stale, { etag: '"two"' }, stale]
    gets = [other]
    deletes = [refusal(403, 'AccessDenied')]
    await new S3Store((key) => object(key), 'lock.json', true, {}).ready()
    expect(asked).toEqual(proven)
  })

  test('is left out if the store is known to keep them', async () => {
    await store(false).ready()
    expect(asked).toEqual([])
  })
})
