import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { FileStore } from '../src/file/file-store.ts'
import { RecordLeaser } from '../src/record-leaser.ts'
import type { RecordStore } from '../src/record-store.ts'
import { Terms } from '../src/terms.ts'

/** The store with some methods replaced. */
function wrapStore(
  inner: RecordStore<number>,
  methods: Partial<RecordStore<number>>,
): RecordStore<number> {
  return {
    place: inner.place,
    read: (signal) => inner.read(signal),
    swap: (base, next, signal) => inner.swap(base, next, signal),
    ...methods,
  }
}

test.each(['read', 'swap'] as const)(
  'a lease ends one ttl after the moment before its request, however long the %s took',
  async (slow) => {
    using directory = temporaryDirectory()
    let now = 1_000_000
    const store = new FileStore(directory.path, 'lock.json', {})
    const late = wrapStore(store, {
      [slow]: async (...args: never[]) => {
        now += 4_000
        return (store[slow] as (...given: never[]) => unknown)(...args)
      },
    })
    const leaser = new RecordLeaser('file', late, new Terms({ ttl: 30_000, clock: () => now }, 0))
    const lease = await leaser.acquire()
    expect(lease.expiresAt.getTime()).toBe(1_030_000)
    const renewed = await leaser.renew(lease)
    expect(renewed.expiresAt.getTime()).toBe(1_034_000)
  },
)

test('a lease that another took between the swap and the look is not granted', async () => {
  using directory = temporaryDirectory()
  const store = new FileStore(directory.path, 'lock.json', {})
  const other = new RecordLeaser('file', store, new Terms({ owner: 'the faster one' }, 0))
  let overtaken = false
  const leaser = new RecordLeaser(
    'file',
    wrapStore(store, {
      swap: async (base, next) => {
        const swapped = await store.swap(base, next)
        if (overtaken || swapped === null) return swapped
        overtaken = true
        await other.reset()
        await other.acquire()
        return { ...swapped, present: false }
      },
    }),
    new Terms({ owner: 'the slower one' }, 0),
  )
  await expect(leaser.acquire()).rejects.toMatchObject({
    code: 'ERR_LEASE_EXISTS',
    owner: 'the faster one',
  })
})

test('a release succeeds if another follows it before its store can tell that it was done', async () => {
  using directory = temporaryDirectory()
  const store = new FileStore(directory.path, 'lock.json', {})
  const other = new RecordLeaser('file', store, new Terms({ owner: 'the next one' }, 0))
  let overtakes = false
  const overtaken = wrapStore(store, {
    swap: async (base, next) => {
      const swapped = await store.swap(base, next)
      if (!overtakes) return swapped
      await other.acquire()
      return null
    },
  })
  const leaser = new RecordLeaser('file', overtaken, new Terms({}, 0))
  const lease = await leaser.acquire()
  overtakes = true
  await leaser.release(lease)
  expect(await other.inspect()).toMatchObject({ generation: 2n, owner: 'the next one' })
})

test('a release fails if another holds the lease by the time it starts, or the lease was over', async () => {
  using directory = temporaryDirectory()
  const store = new FileStore(directory.path, 'lock.json', {})
  let now = Date.now()
  const terms = (owner: string) => new Terms({ owner, ttl: 10_000, clock: () => now }, 0)
  const other = new RecordLeaser('file', store, terms('the next one'))
  let overtakes = false
  const overtaken = wrapStore(store, {
    swap: async (base, next) => {
      if (overtakes) await other.acquire()
      return await store.swap(base, next)
    },
  })
  const leaser = new RecordLeaser('file', overtaken, terms('the slow one'))
  const lease = await leaser.acquire()
  now += 10_001
  overtakes = true
  for (const _ of [1, 2]) {
    await expect(leaser.release(lease)).rejects.toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
  }
})
