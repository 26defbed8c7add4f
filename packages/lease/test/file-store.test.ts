import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileLeaser, type LeaseError } from '../src/index.ts'
import { FileStore } from '../src/file/file-store.ts'
import { refusalOf } from './describe-leaser.ts'

let directory: TemporaryDirectory

beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => directory[Symbol.dispose]())

function store(): FileStore {
  return new FileStore(directory.path, 'lock.json', {})
}

function leaser(options = {}) {
  return createFileLeaser({ dir: directory.path, owner: 'me', clockSkew: 0, ...options })
}

function names(): string[] {
  return readdirSync(directory.path).toSorted()
}

/** Moves the state on, as many times as that. */
async function advance(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const base = await store().read()
    await store().swap(base, Buffer.from(`state ${base.version + 1}`))
  }
}

describe('the records of a lease in a directory', () => {
  test('are compact JSON, and their SHA-256 is the etag', async () => {
    const lease = await leaser().acquire()
    const bytes = readFileSync(directory.file('lock.json'))
    const { nonce } = JSON.parse(bytes.toString()) as { nonce: string }
    expect(bytes.toString()).toBe(
      `{"generation":1,"expires_at":"${lease.expiresAt.toISOString()}","owner":"me","nonce":"${nonce}"}`,
    )
    expect(lease.etag).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(readFileSync(directory.file('lock.json.1'))).toEqual(bytes)
  })

  test('count changes of state, and only the newest two are kept', async () => {
    const it = leaser()
    let lease = await it.acquire()
    for (let n = 0; n < 5; n++) lease = await it.renew(lease)
    await it.release(lease)
    expect(names()).toEqual(['lock.json', 'lock.json.6', 'lock.json.7'])
    expect((await it.acquire()).generation).toBe(2n)
  })

  test('are files of their own: writing over the file for people changes none', async () => {
    const it = leaser()
    const lease = await it.acquire()
    writeFileSync(directory.file('lock.json'), 'nonsense')
    await it.release(await it.renew(lease))
    expect(await it.inspect()).toMatchObject({ generation: 1n, held: false })
  })

  test('decide alone: a file for people that lags, or is gone, changes nothing', async () => {
    const it = leaser()
    const lease = await it.acquire()
    unlinkSync(directory.file('lock.json'))
    expect(await refusalOf(it.acquire())).toMatchObject({ code: 'ERR_LEASE_EXISTS' })
    await it.release(lease)
  })

  test('start from the file if there is none: its generation goes on', async () => {
    const foreign = { generation: 41, expires_at: '2020-01-01T00:00:00.123456789Z', owner: 'other' }
    writeFileSync(directory.file('lock.json'), JSON.stringify(foreign))
    expect((await leaser().acquire()).generation).toBe(42n)
  })

  test('start from a lease that another’s format holds still', async () => {
    const end = new Date(Date.now() + 10_000).toISOString().replace('Z', '+00:00')
    const foreign = { generation: 41, expires_at: end, owner: 'other' }
    writeFileSync(directory.file('lock.json'), JSON.stringify(foreign))
    expect(await refusalOf(leaser().acquire())).toMatchObject({
      code: 'ERR_LEASE_EXISTS',
      owner: 'other',
    })
  })

  test.each(['', '{', '[]', 'null', '{"generation":-1}', '\u{0}'])(
    'do not start from a file that is %j',
    async (text) => {
      writeFileSync(directory.file('lock.json'), text)
      const it = leaser()
      expect(await refusalOf(it.acquire())).toMatchObject({ code: 'ERR_LEASE_CORRUPT' })
      await it.reset()
      await it.acquire()
    },
  )

  test('keep a generation that is too big for a double', async () => {
    const foreign = `{"owner":"\\"generation\\":1","generation": 9007199254740993,"expires_at":"2020-01-01T00:00:00Z"}`
    writeFileSync(directory.file('lock.json'), foreign)
    const it = leaser()
    expect((await it.acquire()).generation).toBe(9007199254740994n)
    expect((await it.inspect())?.generation).toBe(9007199254740994n)
  })

  test('let the rightful holder renew and release what is too far away for others', async () => {
    const far = leaser({ maxTtl: 3_600_000, ttl: 3_600_000 })
    const near = leaser()
    const lease = await far.acquire()
    expect(await refusalOf(near.acquire())).toMatchObject({ code: 'ERR_LEASE_CORRUPT' })
    await near.release(await near.renew(await far.renew(lease)))
    await near.acquire()
  })
})

describe('a change of state', () => {
  test('is made by one of two who saw the same', async () => {
    const base = await store().read()
    expect(await store().swap(base, Buffer.from('one'))).toMatchObject({ present: true })
    expect(await store().swap(base, Buffer.from('two'))).toBeNull()
  })

  test.each([1, 2, 3, 4, 10])(
    'is not made by who was stopped while %i others were',
    async (others) => {
      await advance(3)
      const base = await store().read()
      await advance(others)
      const before = await store().read()
      expect(await store().swap(base, Buffer.from('late'))).toBeNull()
      // Even if its number was free again, for the records had been cleared.
      expect(await store().read()).toEqual(before)
      await advance(1)
      expect((await store().read()).version).toBe(3 + others + 1)
    },
  )

  test.each([1, 2, 3, 10])(
    'is not made by who was stopped before the first, while %i others were',
    async (others) => {
      const base = await store().read()
      await advance(others)
      expect(await store().swap(base, Buffer.from('late'))).toBeNull()
      expect((await store().read()).version).toBe(others)
    },
  )

  test('is not made after a record that a late one put in its own place', async () => {
    await advance(1)
    const base = await store().read()
    await advance(5)
    // The late one linked 1 anew and died before it looked.
    writeFileSync(directory.file('other'), 'of the late one')
    linkSync(directory.file('other'), directory.file('lock.json.1'))
    expect(await store().swap(base, Buffer.from('later still'))).toBeNull()
    await advance(1)
    expect(names().filter((name) => /\.\d+$/.test(name))).toEqual(['lock.json.6', 'lock.json.7'])
  })

  test('is not made from a file that somebody renamed meanwhile', async () => {
    const base = await store().read()
    writeFileSync(directory.file('foreign'), 'x')
    renameSync(directory.file('foreign'), directory.file('lock.json'))
    expect(await store().swap(base, Buffer.from('mine'))).toBeNull()
  })

  test('clears temporary files that were left, but none that may still be worked on', async () => {
    await advance(3)
    const left = '.lock.json.2.0d8b0d0e.tmp'
    const current = '.lock.json.5.0d8b0d0e.tmp'
    const others = '.other.json.2.0d8b0d0e.tmp'
    for (const name of [left, current, others]) writeFileSync(directory.file(name), '')
    await advance(1)
    expect(names().filter((name) => name.endsWith('.tmp'))).toEqual([current, others].toSorted())
    await advance(3)
    expect(names().filter((name) => name.endsWith('.tmp'))).toEqual([others])
  })
})

describe('a directory', () => {
  test('that does not exist is refused rather than made: a share may not be mounted', async () => {
    const it = createFileLeaser({ dir: directory.file('missing') })
    expect(await refusalOf(it.acquire())).toMatchObject({
      code: 'ERR_LEASE_STORE',
      cause: { code: 'ENOENT' },
    })
    const below = createFileLeaser({ dir: directory.file('missing'), path: 'a/lock.json' })
    expect(await refusalOf(below.acquire())).toMatchObject({ code: 'ERR_LEASE_STORE' })
    expect(names()).toEqual([])
  })

  test('below it is made for the path', async () => {
    const it = createFileLeaser({ dir: directory.path, path: 'a/b/lock.json' })
    await it.release(await it.acquire())
    expect(await it.inspect()).toMatchObject({ held: false })
  })

  test('may be reached by a symbolic link', async () => {
    symlinkSync(directory.path, directory.file('here'))
    await leaser().acquire()
    const other = createFileLeaser({ dir: directory.file('here') })
    const refusal = (await refusalOf(other.acquire())) as LeaseError
    expect(refusal.code).toBe('ERR_LEASE_EXISTS')
  })
})
