import { hold, runWithLease } from '@howdah/lease'
import { describe, expect, test } from 'vitest'
import { Crew, monotonic, type Attempt, type SentLease } from './crew.ts'
import type { LeaserContext } from './describe-leaser.ts'
import { openLeaser, type Place } from './open-leaser.mjs'

interface Tenure {
  readonly from: number
  readonly until: number
  readonly lease: SentLease
}

/** The laws of holding, for every leaser. */
export function describeHold(context: () => LeaserContext): void {
  describe.concurrent('when held', () => {
    test('is renewed for longer than its ttl, and free after its disposal', async () => {
      const place = sharp(context().place())
      const leaser = await openLeaser(place)
      {
        await using held = await hold(leaser)
        const { generation } = held
        const end = monotonic() + place.ttl * 1.5
        while (monotonic() < end) {
          held.check()
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        expect(held.signal.aborted).toBe(false)
        expect(held.generation).toBe(generation)
        await expect(hold(leaser, { timeout: 0 })).rejects.toMatchObject({
          code: 'ERR_LEASE_TIMEOUT',
        })
      }
      await using next = await hold(leaser, { timeout: 0 })
      next.check()
    })

    test('is lost as soon as a renewal finds another’s, and the action is told', async () => {
      const leaser = await openLeaser(sharp(context().place()))
      const action = runWithLease(leaser, async (signal, held) => {
        await leaser.reset()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        expect(() => held.check()).toThrow(expect.objectContaining({ code: 'ERR_LEASE_LOST' }))
        return 'done all the same'
      })
      await expect(action).rejects.toMatchObject({
        code: 'ERR_LEASE_LOST',
        cause: { code: 'ERR_LEASE_NOT_HELD' },
      })
    })

    test('is known to be lost at once after a SIGSTOP, and signalled by the next turn', async () => {
      await using crew = new Crew(1)
      const [worker] = crew.workers
      const place = sharp(context().place())
      // No renewal would hide the loss.
      const options = { heartbeat: place.ttl * 0.8 }
      await worker!.ask('hold', { place, options })
      const watched = worker!.ask<Attempt & { firedAtOnce: boolean; fired: boolean }>('watch', {
        place,
      })
      // The worker blocks its event loop, and so stops in the middle of a turn.
      await new Promise((resolve) => setTimeout(resolve, 100))
      worker!.signal('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, place.ttl * 1.1))
      worker!.signal('SIGCONT')
      expect(await watched).toMatchObject({ ok: false, code: 'ERR_LEASE_LOST', fired: true })
    })

    test('is known to be lost at once after a blocked event loop, and signalled by the next turn', async () => {
      await using crew = new Crew(1)
      const [worker] = crew.workers
      const place = sharp(context().place())
      await worker!.ask('hold', { place })
      const watched = await worker!.ask('watch', { place, block: place.ttl * 1.1 })
      expect(watched).toMatchObject({ ok: false, code: 'ERR_LEASE_LOST', fired: true })
    })

    test('of a killed holder goes to the next within its ttl and a second', async () => {
      await using crew = new Crew(2)
      const [holder, next] = crew.workers
      const place = sharp(context().place())
      await next!.ask('open', { place })
      const first = await holder!.ask<Tenure>('hold', { place })
      const waiting = next!.ask<Tenure>('hold', { place })
      await holder!.kill()
      const killed = monotonic()
      const second = await waiting
      expect(BigInt(second.lease.generation)).toBeGreaterThan(BigInt(first.lease.generation))
      // The one figure that the specification promises; so it is asserted although it is a time.
      expect(second.from - killed).toBeLessThan(place.ttl + 1_000)
    })

    test('is never held by two whose clocks are four seconds apart', async () => {
      const place = context().place({ ttl: 9_000, maxTtl: 9_000, clockSkew: 4_500 })
      const [first, second] = await succession(place)
      expect(second.from).toBeGreaterThan(first.until)
    })
  })
}

/** A holder with a slow clock is killed; one with a fast clock takes over. */
export async function succession(place: Place): Promise<[Tenure, Tenure]> {
  await using crew = new Crew(2)
  const [slow, fast] = crew.workers
  await fast!.ask('open', { place: { ...place, clockOffset: 2_000 } })
  const first = await slow!.ask<Tenure>('hold', { place: { ...place, clockOffset: -2_000 } })
  const waiting = fast!.ask<Tenure>('hold', {
    place: { ...place, clockOffset: 2_000 },
    options: { pollInterval: 20 },
  })
  await slow!.kill()
  return [first, await waiting]
}

/** One machine has one clock. Long enough for a slow disk to be renewed on in time. */
function sharp(place: Place): Place {
  return { ...place, ttl: 4_000, maxTtl: 10_000, clockSkew: 0 }
}
