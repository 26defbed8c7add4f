import { hostname } from 'node:os'
import { mkdirSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { listRecords } from '../../src/file/list-records.ts'
import { GrantedLease, requireLease, type LeaseReference } from '../../src/lease.ts'
import { decodeRecord, encodeRecord } from '../../src/record.ts'
import { Terms } from '../../src/terms.ts'

const decode = (text: string) => decodeRecord(Buffer.from(text))
const fields = { generation: 3, expires_at: '2026-01-02T03:04:05.678Z', owner: 'me', nonce: 'x' }
const text = (change: object = {}) => JSON.stringify({ ...fields, ...change })
const expiresAt = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

describe('a record', () => {
  test('is read as it was written, whatever its generation and owner', () => {
    for (const generation of [0n, 1n, 2n ** 53n + 1n, 10n ** 30n]) {
      const record = { generation, expiresAt, owner: 'somebody "quoted", \\ {1}', nonce: null }
      expect(decodeRecord(encodeRecord(record))).toEqual(record)
      expect(decodeRecord(encodeRecord({ ...record, nonce: 'x' }))).toEqual({
        ...record,
        nonce: 'x',
      })
    }
    expect(encodeRecord({ generation: 3n, expiresAt, owner: 'me', nonce: 'x' }).toString()).toBe(
      text(),
    )
  })

  test.each([
    '2026-01-02T03:04:05.678Z',
    '2026-01-02t03:04:05.678z',
    '2026-01-02T04:04:05.678+01:00',
    '2026-01-02T02:34:05.678-00:30',
    '2026-01-02T03:04:05.678999Z',
  ])('may end at %s', (expires_at) => {
    expect(decode(text({ expires_at })).expiresAt).toBe(expiresAt)
  })

  test.each([
    '2026-01-02',
    '2026-01-02T03:04:05',
    '2026-01-02T03:04Z',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05.Z',
    '2026-01-02T03:04:05+0100',
    ' 2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05Z ',
    '2026-13-02T03:04:05Z',
    '',
    0,
    null,
  ])('may not end at %j', (expires_at) => {
    expect(() => decode(text({ expires_at }))).toThrow('its expires_at is not an RFC 3339 time')
  })

  test.each<[string, string, string | RegExp]>([
    ['nothing', '', 'it is empty'],
    ['no JSON', '{', /JSON/],
    ['null', 'null', 'it is not a JSON object'],
    ['a list', '[]', 'it is not a JSON object'],
    ['a number', '7', 'it is not a JSON object'],
    ['no generation', text({ generation: undefined }), 'its generation is not a whole number'],
    ['a generation in words', text({ generation: '3' }), 'its generation is not a whole number'],
    ['half a generation', text({ generation: 0.5 }), 'its generation is not a whole number'],
    ['a negative generation', text({ generation: -1 }), 'its generation is not a whole number'],
    ['a generation in another form', text().replace('3,', '1e20,'), /generation is not a whole/],
    ['no owner', text({ owner: undefined }), 'its owner is not a text'],
    ['a nonce that is a number', text({ nonce: 7 }), 'its nonce is not a text'],
  ])('with %s is refused', (_, content, message) => {
    expect(() => decode(content)).toThrow(message)
  })

  test('that is no UTF-8 is refused', () => {
    expect(() => decodeRecord(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/utf-8/)
  })

  test('may have fields that we do not know, and no nonce', () => {
    expect(decode(text({ nonce: undefined, more: 1 }))).toEqual({
      generation: 3n,
      expiresAt,
      owner: 'me',
      nonce: null,
    })
  })
})

describe('the records of a directory', () => {
  /** What is listed of files with these names. */
  async function listed(...names: string[]) {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('x'))
    for (const name of names) writeFileSync(directory.file('x', name), '')
    return await listRecords(directory.file('x'), 'lock')
  }

  test('are those with a number, and the highest one counts', async () => {
    expect(await listed()).toEqual({ highest: 0, cleared: [] })
    expect(await listed('lock')).toEqual({ highest: 0, cleared: [] })
    expect(await listed('lock.9', 'lock.10')).toEqual({ highest: 10, cleared: [] })
  })

  test('are over but for the newest two, and go from the lowest upwards', async () => {
    const names = ['lock.10', 'lock.8', 'lock.9', 'lock.11', 'lock.2']
    expect(await listed(...names)).toEqual({
      highest: 11,
      cleared: ['lock.2', 'lock.8', 'lock.9'],
    })
  })

  test('and so are temporary files for numbers as old', async () => {
    const temporary = ['.lock.8.x.tmp', '.lock.9.x.tmp', '.lock.10.x.tmp', '.lock.11.x.tmp']
    expect(await listed('lock.10', ...temporary)).toEqual({
      highest: 10,
      cleared: ['.lock.8.x.tmp'],
    })
  })

  test.each([
    'lock.0',
    'lock.01',
    'lock.1a',
    'lock.a1',
    'lock.-1',
    'lock.1000000000000000',
    'lock.',
    'other.5',
    'lock5',
    '.lock.5',
    '.lock.0.x.tmp',
    '.lock.1.tmp',
    '.lock.1.x.y.tmp',
    '.lock.1.x.tmp2',
    '.lock.x1.x.tmp',
    '.other.1.x.tmp',
  ])('are not what is named %s', async (name) => {
    expect(await listed(name, 'lock.7', 'lock.6')).toEqual({ highest: 7, cleared: [] })
  })
})

describe('a lease', () => {
  test('remains until its end, by the clock that it is given', () => {
    let now = 1_000
    const granted = { generation: 1n, expiresAt: new Date(2_000), owner: 'me', etag: 'x' }
    const lease = new GrantedLease({ ...granted, nonce: 'y' }, () => now)
    expect(lease).toMatchObject({ ...granted, nonce: 'y', remaining: 1_000, isExpired: false })
    now = 1_999
    expect(lease).toMatchObject({ remaining: 1, isExpired: false })
    now = 2_000
    expect(lease).toMatchObject({ remaining: 0, isExpired: true })
    now = 5_000
    expect(lease).toMatchObject({ remaining: 0, isExpired: true })
  })

  test.each<[unknown, string]>([
    [undefined, 'ERR_LEASE_REQUIRED'],
    [null, 'ERR_LEASE_REQUIRED'],
    ['lease', 'ERR_LEASE_REQUIRED'],
    [{ generation: 1n }, 'ERR_LEASE_ETAG_REQUIRED'],
    [{ generation: 1n, etag: '' }, 'ERR_LEASE_ETAG_REQUIRED'],
    [{ generation: 1n, etag: 7 }, 'ERR_LEASE_ETAG_REQUIRED'],
    [{ generation: 1, etag: 'x' }, 'ERR_LEASE_REQUIRED'],
    [{ etag: 'x' }, 'ERR_LEASE_REQUIRED'],
  ])('is needed, and not %o', (lease, code) => {
    const requiring = (): void => requireLease(lease as LeaseReference, 'renew')
    expect(requiring).toThrow(expect.objectContaining({ code }))
    requireLease({ generation: 1n, etag: 'x' }, 'renew')
  })
})

describe('the terms of a lease', () => {
  test('are half a minute, of this process, unless told otherwise', () => {
    const terms = new Terms({}, 0)
    expect(terms).toMatchObject({ ttl: 30_000, maxTtl: 30_000, clockSkew: 0 })
    expect(terms.owner).toBe(`${hostname()}:${process.pid}`)
    expect(terms.clock).toBe(Date.now)
    expect(new Terms({ maxTtl: 5_000 }, 7)).toMatchObject({ ttl: 5_000, clockSkew: 7 })
    expect(new Terms({ maxTtl: 60_000 }, 0)).toMatchObject({ ttl: 30_000, maxTtl: 60_000 })
    expect(new Terms({ ttl: 1, owner: '' }, 0)).toMatchObject({ ttl: 1, owner: '' })
  })

  test('grant what is asked for, up to the longest', () => {
    const terms = new Terms({ ttl: 10, maxTtl: 20 }, 0)
    expect([terms.within(), terms.within(20), terms.within(0.5)]).toEqual([10, 20, 0.5])
    expect(() => terms.within(21)).toThrow(
      expect.objectContaining({ code: 'ERR_LEASE_TTL_EXCEEDS_MAX', ttl: 21, maxTtl: 20 }),
    )
    expect(() => new Terms({ ttl: 30, maxTtl: 20 }, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_LEASE_TTL_EXCEEDS_MAX' }),
    )
  })

  test.each([0, -1, Number.NaN, Infinity])('are no times of %j', (ms) => {
    const refused = expect.objectContaining({ code: 'ERR_LEASE_OPTION' })
    expect(() => new Terms({ ttl: ms }, 0)).toThrow(refused)
    expect(() => new Terms({ maxTtl: ms }, 0)).toThrow(refused)
    expect(() => new Terms({}, 0).within(ms)).toThrow(refused)
  })

  test.each([-1, Number.NaN, Infinity])('are no clocks that are %j ms apart', (ms) => {
    const refused = expect.objectContaining({ code: 'ERR_LEASE_OPTION' })
    expect(() => new Terms({}, ms)).toThrow(refused)
  })
})
