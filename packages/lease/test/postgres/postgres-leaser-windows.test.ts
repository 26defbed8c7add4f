import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LeaseTable, type LeaseRow } from '../../src/postgres/lease-table.ts'
import { PostgresLeaser } from '../../src/postgres/postgres-leaser.ts'
import { Terms } from '../../src/terms.ts'

/** The server's time, which is ahead of ours. */
const now = 1_000_000
const ours = now - 400

type Answer = LeaseRow | null

/** What the statements answer, in their order; the last one is repeated. */
const answers = {
  take: [] as Answer[],
  read: [] as Answer[],
  extend: [] as Answer[],
  free: [] as Answer[],
  reset: [] as Answer[],
}
const asked: string[] = []
const said: string[] = []

beforeEach(() => {
  asked.length = 0
  said.length = 0
  for (const name of ['take', 'read', 'extend', 'free', 'reset'] as const) {
    answers[name] = []
    vi.spyOn(LeaseTable.prototype, name).mockImplementation(async () => {
      asked.push(name)
      const list = answers[name]
      return (list.length > 1 ? list.shift() : list[0]) ?? null
    })
  }
})
afterEach(() => vi.restoreAllMocks())

const unused = { query: () => Promise.reject(new Error('nothing is to be asked here')) }

function leaser(end: () => Promise<void> = async () => {}): PostgresLeaser {
  const note = (message: string): void => void said.push(message)
  const terms = new Terms(
    {
      owner: 'me',
      ttl: 1_000,
      maxTtl: 5_000,
      clock: () => ours,
      logger: { debug: note, warn: note },
    },
    0,
  )
  return new PostgresLeaser('here', new LeaseTable('here', unused, 't', 'n', 1_000), terms, end)
}

function row(fields: Partial<LeaseRow> = {}): LeaseRow {
  return { generation: 3n, owner: 'me', nonce: 'mine', expiresAt: now + 1_000, now, ...fields }
}

const theirs = row({ generation: 4n, owner: 'other', nonce: 'theirs' })
const mine = { generation: 3n, etag: 'mine' }
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe('to acquire', () => {
  test('gives the lease of the row, with a clock that follows the server’s', async () => {
    answers.take = [row()]
    const lease = await leaser().acquire()
    expect(lease).toMatchObject({ generation: 3n, owner: 'me', etag: 'mine', remaining: 1_000 })
    expect(lease.expiresAt).toEqual(new Date(now + 1_000))
    expect(said).toEqual(['acquired generation 3 of the lease here'])
  })

  test.each<[string, Answer]>([
    ['over', row({ expiresAt: now - 1 })],
    ['released', row({ expiresAt: 0 })],
    ['over since time began', row({ expiresAt: -8e15 })],
    ['removed', null],
  ])('asks again if what was held is %s by the time it is looked at', async (_, found) => {
    answers.take = [null, null, row()]
    answers.read = [found]
    expect(await leaser().acquire()).toMatchObject({ generation: 3n })
    expect(asked).toEqual(['take', 'read', 'take', 'read', 'take'])
  })

  test('gives up after twenty times', async () => {
    answers.read = [null]
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      message: expect.stringContaining('was changed by others 20 times in a row'),
    })
    expect(asked).toHaveLength(40)
  })

  test.each([now, now + 1, now + 5_001])('is refused while it is held until %i', async (end) => {
    answers.read = [{ ...theirs, expiresAt: end }]
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_EXISTS',
      owner: 'other',
      expiresAt: new Date(end),
    })
    expect(asked).toEqual(['take', 'read'])
  })

  test.each<[string, Partial<LeaseRow>, RegExp]>([
    ['an end further away than is granted', { expiresAt: now + 5_002 }, /other claims it until/],
    ['no end', { expiresAt: Number.POSITIVE_INFINITY }, /its expires_at is Infinity/],
    ['an end before time began', { expiresAt: Number.NEGATIVE_INFINITY }, /expires_at is -Inf/],
    ['generation 0', { generation: 0n }, /its generation is 0/],
    ['a negative generation', { generation: -1n, expiresAt: 0 }, /its generation is -1/],
  ])('is refused as corrupt with %s', async (_, fields, message) => {
    answers.read = [{ ...theirs, ...fields }]
    await expect(leaser().acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_CORRUPT',
      message: expect.stringMatching(message),
    })
  })
})

describe('to renew', () => {
  test('gives the row as it is then', async () => {
    answers.extend = [row({ expiresAt: now + 2_000 })]
    expect(await leaser().renew(mine)).toMatchObject({ generation: 3n, remaining: 2_000 })
    expect(asked).toEqual(['extend'])
  })

  test.each<[string, Answer, RegExp]>([
    ['it was released', row({ expiresAt: 0 }), /it was released/],
    ['another has it', theirs, /other has generation 4/],
    ['the generation is another', row({ generation: 4n }), /me has generation 4/],
    ['the nonce is another', row({ nonce: 'other' }), /me has generation 3/],
    ['it is gone', null, /nothing is stored any more/],
  ])('says that it is not held if %s', async (_, found, message) => {
    answers.read = [found]
    await expect(leaser().renew(mine)).rejects.toMatchObject({
      code: 'ERR_LEASE_NOT_HELD',
      generation: 3n,
      message: expect.stringMatching(message),
    })
    expect(asked).toEqual(['extend', 'read'])
  })
})

describe('to release', () => {
  test('looks whose it is, and frees it', async () => {
    answers.read = [row()]
    answers.free = [row({ expiresAt: 0 })]
    await leaser().release(mine)
    expect(asked).toEqual(['read', 'free'])
    expect(said).toEqual(['released generation 3 of the lease here'])
  })

  test.each<[string, Answer, string]>([
    ['another has it', theirs, 'ERR_LEASE_NOT_HELD'],
    ['it is gone', null, 'ERR_LEASE_NOT_HELD'],
    ['it was released', row({ expiresAt: 0 }), 'ERR_LEASE_ALREADY_RELEASED'],
  ])('frees nothing if %s', async (_, found, refusal) => {
    answers.read = [found]
    await expect(leaser().release(mine)).rejects.toEqual(code(refusal))
    expect(asked).toEqual(['read'])
  })

  test('is done if a first copy of the statement did it', async () => {
    answers.read = [row(), row({ expiresAt: 0 })]
    await leaser().release(mine)
    expect(asked).toEqual(['read', 'free', 'read'])
    expect(said).toHaveLength(1)
  })

  test.each<[string, Answer]>([
    ['another has it', theirs],
    ['it is gone', null],
  ])('says that it is not held if %s by then', async (_, found) => {
    answers.read = [row(), found]
    await expect(leaser().release(mine)).rejects.toEqual(code('ERR_LEASE_NOT_HELD'))
    expect(said).toEqual([])
  })
})

describe('to inspect', () => {
  test.each([
    [now, false],
    [now + 1, true],
    [0, false],
  ])('says of an end at %i that it is held: %s', async (expiresAt, held) => {
    answers.read = [row({ expiresAt })]
    expect(await leaser().inspect()).toEqual({
      generation: 3n,
      owner: 'me',
      expiresAt: new Date(expiresAt),
      held,
      problem: null,
    })
  })

  test.each([
    [5_001, null],
    [5_002, expect.stringContaining('which is further away than the 5000 ms')],
  ])('says what is wrong with an end in %i ms: %s', async (ms, problem) => {
    answers.read = [row({ expiresAt: now + ms })]
    expect(await leaser().inspect()).toMatchObject({ held: true, problem })
  })

  test('says that there is none, and refuses what cannot be read', async () => {
    expect(await leaser().inspect()).toBeNull()
    answers.read = [row({ generation: 0n })]
    await expect(leaser().inspect()).rejects.toEqual(code('ERR_LEASE_CORRUPT'))
  })
})

test('to reset says which generation it is then', async () => {
  answers.reset = [row({ generation: 9n, expiresAt: 0 })]
  await leaser().reset()
  expect(said).toEqual(['reset the lease here to generation 9'])
})

test('to close ends the pool once, and so does disposal', async () => {
  let ends = 0
  const it = leaser(async () => void ends++)
  await it.close()
  await it.close()
  await it[Symbol.asyncDispose]()
  expect(ends).toBe(1)
  {
    await using other = leaser(async () => void ends++)
    expect(other.place).toBe('here')
  }
  expect(ends).toBe(2)
})
