import type { LeaseError, Leaser, LeaseReference } from '@howdah/lease'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Crew, type SentLease } from './crew.ts'
import { describeContention, processes, unhurried, type Counts } from './describe-contention.ts'
import { describeHold } from './describe-hold.ts'
import { openLeaser, type Place } from './open-leaser.mjs'

/** What the suite needs of a backend. */
export interface LeaserContext extends AsyncDisposable {
  /** A lease that nobody ever held. Its ttl is the shortest one that the backend takes well. */
  place(options?: Partial<Place>): Place
  /** Makes the held lease of a place expired, and returns the place as contenders see it then. */
  expire(place: Place, lease: SentLease): Promise<Place>
  /** Ways to spoil what is stored, by what is wrong then. */
  readonly corruptions: Readonly<Record<string, (place: Place) => Promise<void>>>
  /** If the server removes an expired lease, nobody can renew that. */
  readonly expiredIsGone?: boolean
}

/** The laws that hold for every leaser, wherever it keeps the lease. */
export function describeLeaser(
  name: string,
  makeContext: () => Promise<LeaserContext>,
  short: Counts,
): void {
  describe(`a lease in ${name}`, () => {
    let context: LeaserContext
    let crew: Crew

    beforeAll(async () => {
      context = await makeContext()
      crew = new Crew(processes)
    })
    afterAll(async () => {
      await crew?.[Symbol.asyncDispose]()
      await context?.[Symbol.asyncDispose]()
    })

    async function open(
      place = context.place(unhurried),
    ): Promise<Leaser & Partial<AsyncDisposable>> {
      return openLeaser(place)
    }

    test('is acquired by one, and the others are told who that is and until when', async () => {
      const place = context.place({ ...unhurried, owner: 'the first' })
      const leaser = await open(place)
      const before = Date.now()
      const lease = await leaser.acquire()
      expect(lease.owner).toBe('the first')
      expect(lease.isExpired).toBe(false)
      expect(lease.remaining).toBeGreaterThan(0)
      expect(lease.remaining).toBeLessThanOrEqual(leaser.ttl + 100)
      expect(lease.expiresAt.getTime()).toBeGreaterThan(before)
      const refusal = await refusalOf((await open({ ...place, owner: 'x' })).acquire())
      expect(refusal).toMatchObject({ code: 'ERR_LEASE_EXISTS', owner: 'the first' })
      expect((refusal as LeaseError).expiresAt?.getTime()).toBeGreaterThan(before)
    })

    test('is refused to its own holder, too, while it lasts', async () => {
      const leaser = await open()
      await leaser.acquire()
      expect(await refusalOf(leaser.acquire())).toMatchObject({ code: 'ERR_LEASE_EXISTS' })
    })

    test('is free after its release, with a higher generation for the next', async () => {
      const leaser = await open()
      const first = await leaser.acquire()
      await leaser.release(first)
      expect(await leaser.inspect()).toMatchObject({ held: false, generation: first.generation })
      const second = await leaser.acquire()
      expect(second.generation).toBeGreaterThan(first.generation)
      expect(await leaser.inspect()).toMatchObject({
        held: true,
        generation: second.generation,
        problem: null,
      })
    })

    test('keeps its generation when it is renewed', async () => {
      const leaser = await open()
      const lease = await leaser.acquire()
      const renewed = await leaser.renew(await leaser.renew(lease))
      expect(renewed.generation).toBe(lease.generation)
      expect(renewed.expiresAt.getTime()).toBeGreaterThanOrEqual(lease.expiresAt.getTime())
    })

    test('is released once', async () => {
      const leaser = await open()
      const lease = await leaser.acquire()
      await leaser.release(lease)
      expect(await refusalOf(leaser.release(lease))).toMatchObject({
        code: 'ERR_LEASE_ALREADY_RELEASED',
      })
      expect(await refusalOf(leaser.renew(lease))).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
      const next = await leaser.acquire()
      expect(await refusalOf(leaser.release(lease))).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
      await leaser.renew(next)
    })

    test('is neither renewed nor released by who lost it', async () => {
      const place = context.place(unhurried)
      const [before, leaser] = [await open(place), await open(place)]
      const lost = await before.acquire()
      const later = await context.expire(place, sent(lost))
      const taker = await open({ ...later, owner: 'the next' })
      const taken = await taker.acquire()
      expect(taken.generation).toBeGreaterThan(lost.generation)
      expect(await refusalOf(leaser.renew(lost))).toMatchObject({
        code: 'ERR_LEASE_NOT_HELD',
        generation: lost.generation,
      })
      expect(await refusalOf(before.release(lost))).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
      await taker.renew(taken)
    })

    test('needs a lease with an etag to be renewed and released', async () => {
      const leaser = await open()
      const { generation } = await leaser.acquire()
      for (const method of ['renew', 'release'] as const) {
        const none = undefined as unknown as LeaseReference
        expect(await refusalOf(leaser[method](none))).toMatchObject({ code: 'ERR_LEASE_REQUIRED' })
        expect(await refusalOf(leaser[method]({ generation, etag: '' }))).toMatchObject({
          code: 'ERR_LEASE_ETAG_REQUIRED',
        })
      }
    })

    test('is not granted for longer than the maximum, which is told before any I/O', async () => {
      const leaser = await open()
      const request = { ttl: leaser.maxTtl + 1, signal: AbortSignal.abort(new Error('asked')) }
      expect(await refusalOf(leaser.acquire(request))).toMatchObject({
        code: 'ERR_LEASE_TTL_EXCEEDS_MAX',
      })
      expect(await leaser.inspect()).toBeNull()
      const lease = await leaser.acquire()
      expect(await refusalOf(leaser.renew(lease, request))).toMatchObject({
        code: 'ERR_LEASE_TTL_EXCEEDS_MAX',
      })
    })

    test('is freed by a reset, and its generation still grows', async () => {
      const leaser = await open()
      const lease = await leaser.acquire()
      await leaser.reset()
      expect(await refusalOf(leaser.renew(lease))).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
      const next = await leaser.acquire()
      expect(next.generation).toBeGreaterThan(lease.generation)
    })

    test('says what is wrong with what is stored, and is mended by a reset', async () => {
      expect(Object.keys(context.corruptions)).not.toHaveLength(0)
      for (const [what, spoil] of Object.entries(context.corruptions)) {
        const place = context.place(unhurried)
        const leaser = await open(place)
        const lease = await leaser.acquire()
        await spoil(place)
        const refusal = await refusalOf(leaser.acquire())
        expect({ what, refusal }).toMatchObject({ refusal: { code: 'ERR_LEASE_CORRUPT' } })
        expect((refusal as Error).message).toContain('"howdah lease show" or inspect()')
        expect((refusal as Error).message).toContain('"howdah lease reset" or reset()')
        // What can be read is told, with what is wrong with it; the rest is refused.
        const told = await leaser.inspect().catch((error: LeaseError) => error.code)
        const problem = typeof told === 'string' ? told : told?.problem
        expect({ what, problem }).toMatchObject({
          problem: expect.stringMatching(/granted at most|^ERR_LEASE_CORRUPT$/),
        })
        await leaser.reset()
        const next = await leaser.acquire()
        expect(next.generation).toBeGreaterThan(lease.generation)
      }
    })

    describeContention(
      () => context,
      () => crew,
      short,
    )
    describeHold(() => context)
  })
}

/** What a promise rejects with; a test fails if it does not. */
export async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`nothing was refused: ${String(value)}`)
    },
    (error: unknown) => error,
  )
}

function sent({
  generation,
  etag,
  owner,
  expiresAt,
}: Awaited<ReturnType<Leaser['acquire']>>): SentLease {
  return { generation: `${generation}`, etag, owner, expiresAt: expiresAt.getTime() }
}
