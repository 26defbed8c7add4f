// @vitest-environment-options { "alone": "postgres/lease-table-answers" }
import type * as Timers from 'node:timers/promises'
import { beforeEach, expect, test, vi } from 'vitest'
import { LeaseTable } from '../../src/postgres/lease-table.ts'
import { pauses } from '../pauses.ts'
import { whatIsLeft } from '../what-is-left.ts'

vi.mock('node:timers/promises', async (original) => {
  const { pauses: replaced } = await import('../pauses.ts')
  return replaced.replacing(await original<typeof Timers>())
})

beforeEach(() => {
  pauses.reset()
})

type Rows = Record<string, unknown>[]

const row = { generation: '1', owner: 'me', nonce: 'first', expires_at: 2_000, now: 1_000 }

/** What a server answers to each kind of query, and which of them it was asked. */
class Answers {
  readonly asked: string[] = []
  /** The values of what was asked last. */
  values: unknown[] = []
  missing = false
  standby: () => Promise<Rows> = async () => [{ standby: false }]
  create: () => Promise<Rows> = async () => []
  /** What is asked of the lease itself. */
  lease: () => Promise<Rows> = async () => [row]

  readonly query = async (text: string, values: unknown[] = []): Promise<{ rows: Rows }> => {
    this.values = values
    if (text.includes('to_regclass')) {
      this.asked.push('look')
      return { rows: [{ missing: this.missing }] }
    }
    if (text.startsWith('CREATE TABLE')) {
      this.asked.push('create')
      return { rows: await this.create() }
    }
    if (text.includes('pg_is_in_recovery')) {
      this.asked.push('standby')
      return { rows: await this.standby() }
    }
    this.asked.push('lease')
    return { rows: await this.lease() }
  }
}

function table(answers: Answers, timeout = 10_000): LeaseTable {
  return new LeaseTable('here', answers, 'leases', 'name', timeout)
}

const failure = (code?: string | number): Error =>
  Object.assign(new Error(`failed with ${code}`), code === undefined ? {} : { code })

/** A function that rejects so often and then answers. */
function failing(times: number, error: Error): () => Promise<Rows> {
  return async () => {
    if (times-- > 0) throw error
    return [row]
  }
}

test.each([
  ['no code', undefined],
  ['the code of a socket', 'ECONNRESET'],
  ['five letters, which are no SQLSTATE', 'EPIPE'],
  ['more than a SQLSTATE', 'X42501'],
  ['a SQLSTATE and more', '42501X'],
  ['a number', 42_501],
  ['a lost connection', '08006'],
  ['a serialization failure', '40001'],
  ['too many connections', '53300'],
  ['a shutdown', '57P01'],
  ['a read-only transaction', '25006'],
  ['a table that is gone', '42P01'],
])('what fails with %s is asked again, from the table on', async (_, code) => {
  const answers = new Answers()
  answers.lease = failing(1, failure(code))
  expect(await table(answers).read()).toMatchObject({ generation: 1n, nonce: 'first' })
  expect(answers.asked).toEqual(['look', 'lease', 'look', 'lease'])
})

test('what fails four times is unavailable, and says with what', async () => {
  const answers = new Answers()
  const last = failure('57P03')
  answers.lease = failing(4, last)
  await expect(table(answers).read()).rejects.toMatchObject({
    code: 'ERR_LEASE_UNAVAILABLE',
    cause: last,
    message: expect.stringContaining('did not answer clearly, 4 times: failed with 57P03'),
  })
  expect(answers.asked.filter((what) => what === 'lease')).toHaveLength(4)
  expect(pauses.times).toHaveLength(3)
  for (const [index, ms] of pauses.times.entries()) {
    expect(ms).toBeGreaterThanOrEqual(25 * 2 ** index)
    expect(ms).toBeLessThanOrEqual(75 * 2 ** index)
  }
  expect(answers.asked).not.toContain('standby')
})

test.each(['42501', '23514', '22008'])(
  'what is refused for good, with %s, is said at once',
  async (code) => {
    const answers = new Answers()
    const refusal = failure(code)
    answers.lease = failing(1, refusal)
    const it = table(answers)
    await expect(it.read()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: refusal,
      message: expect.stringContaining(`failed with ${code}; check the connection`),
    })
    expect(answers.asked).toEqual(['look', 'lease'])
    // The table is looked for again, in case somebody has mended it.
    expect(await it.read()).not.toBeNull()
    expect(answers.asked).toEqual(['look', 'lease', 'look', 'lease'])
  },
)

test('the table is looked for once, while all goes well', async () => {
  const answers = new Answers()
  const it = table(answers)
  for (const _ of [1, 2]) await it.read()
  expect(answers.asked).toEqual(['look', 'lease', 'lease'])
})

test.each<[string, unknown[], (it: LeaseTable) => Promise<unknown>]>([
  ['read', ['name'], (it) => it.read()],
  ['taken', ['name', 'me', 'first', 7], (it) => it.take('me', 'first', 7)],
  ['extended', ['name', 3n, 'first', 7], (it) => it.extend(3n, 'first', 7)],
  ['freed', ['name', 3n, 'first'], (it) => it.free(3n, 'first')],
  ['reset', ['name', 'me', 'first'], (it) => it.reset('me', 'first')],
])('a lease is %s with the values %o, and the row is given', async (_, values, ask) => {
  const answers = new Answers()
  expect(await ask(table(answers))).toEqual({
    generation: 1n,
    owner: 'me',
    nonce: 'first',
    expiresAt: 2_000,
    now: 1_000,
  })
  expect(answers.values).toEqual(values)
})

test('no row is no lease', async () => {
  const answers = new Answers()
  answers.lease = async () => []
  expect(await table(answers).read()).toBeNull()
})

test('the table is made if it is missing', async () => {
  const answers = new Answers()
  answers.missing = true
  await table(answers).read()
  expect(answers.asked).toEqual(['look', 'create', 'lease'])
})

test.each(['23505', '42P07', '42710'])(
  'a table that another makes just now, so that ours is refused with %s, will do',
  async (code) => {
    const answers = new Answers()
    answers.missing = true
    answers.create = async () => {
      throw failure(code)
    }
    expect(await table(answers).read()).not.toBeNull()
    expect(answers.asked).toEqual(['look', 'create', 'lease'])
  },
)

test('a table that may not be made is said', async () => {
  const answers = new Answers()
  answers.missing = true
  answers.create = async () => {
    throw failure('42501')
  }
  await expect(table(answers).read()).rejects.toMatchObject({
    code: 'ERR_LEASE_STORE',
    message: expect.stringContaining('the table "leases"'),
  })
  expect(answers.asked).toEqual(['look', 'create'])
})

test.each<[string, () => Promise<Rows>, RegExp]>([
  [
    'a standby',
    async () => [{ standby: true }],
    /is on a standby, which cannot be written; give the address of the primary/,
  ],
  [
    'a primary',
    async () => [{ standby: false }],
    /default_transaction_read_only is on; turn that off/,
  ],
  [
    'nobody any more',
    async () => {
      throw failure('57P01')
    },
    /default_transaction_read_only is on; turn that off/,
  ],
])('what cannot be written, as %s answers, says why', async (_, standby, message) => {
  const answers = new Answers()
  answers.lease = failing(4, failure('25006'))
  answers.standby = standby
  await expect(table(answers).read()).rejects.toMatchObject({
    code: 'ERR_LEASE_UNAVAILABLE',
    cause: { code: '25006' },
    message: expect.stringMatching(message),
  })
  expect(answers.asked.slice(-2)).toEqual(['lease', 'standby'])
})

test('a query that is not answered in its time counts as not answered', async () => {
  const answers = new Answers()
  answers.lease = async () => new Promise(() => undefined)
  await expect(table(answers, 5).read()).rejects.toMatchObject({
    code: 'ERR_LEASE_UNAVAILABLE',
    message: expect.stringContaining('no answer within 5 ms'),
  })
})

test('no timer is left of a query that was answered', async () => {
  const answers = new Answers()
  const left = await whatIsLeft(async (_signal, during) => {
    answers.lease = async () => {
      during()
      return [row]
    }
    await table(answers).read()
  })
  expect(left.timers).toEqual([1, 0])
})

test('a signal that is aborted already ends it before anything is asked', async () => {
  const answers = new Answers()
  const reason = new Error('enough')
  await expect(table(answers).read(AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(answers.asked).not.toContain('lease')
})

test('a signal ends a query that is not answered, at once and without asking again', async () => {
  const answers = new Answers()
  const controller = new AbortController()
  const reason = new Error('enough')
  answers.lease = async () => {
    controller.abort(reason)
    return new Promise(() => undefined)
  }
  await expect(table(answers, 600_000).read(controller.signal)).rejects.toBe(reason)
  expect(answers.asked).toEqual(['look', 'lease'])
})

test('a signal ends the pause before a query is asked again', async () => {
  const answers = new Answers()
  const controller = new AbortController()
  const reason = new Error('enough')
  pauses.during = () => controller.abort(reason)
  answers.lease = failing(1, failure('57P01'))
  await expect(table(answers).read(controller.signal)).rejects.toBe(reason)
  expect(answers.asked).toEqual(['look', 'lease'])
})

test('nothing listens to a signal after the answer', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...words: Parameters<typeof add>) => {
    listeners++
    add(...words)
  }
  signal.removeEventListener = (...words: Parameters<typeof remove>) => {
    listeners--
    remove(...words)
  }
  await table(new Answers()).read(signal)
  expect(listeners).toBe(0)
})
