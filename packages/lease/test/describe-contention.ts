import { readFileSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Crew, monotonic, type Attempt, type SentLease } from './crew.ts'
import type { LeaserContext } from './describe-leaser.ts'

/** The full count takes minutes; the short one shows what is grossly wrong. */
export const long = process.env['HOWDAH_TEST_LONG'] === '1'

/** How often each thing is done. */
export interface Counts {
  readonly rounds: number
  readonly races: number
  readonly cycles: number
}

/** If a lease must not end by itself, however slow the machine is. */
export const unhurried = { ttl: 30_000, maxTtl: 30_000 }

/** How many processes contend, and each of them how often at once. */
export const processes = long ? 8 : 4
const contenders = 16 / processes

/** The laws of contention, for every leaser. */
export function describeContention(
  contextOf: () => LeaserContext,
  crewOf: () => Crew,
  short: Counts,
): void {
  const counts = long ? { rounds: 300, races: 2_000, cycles: 1_000 } : short
  const patience = { timeout: long ? 1_200_000 : 120_000 }

  test(`has one winner among ${processes * contenders} contenders`, patience, async () => {
    for (let round = 0; round < counts.rounds; round++) {
      let place = contextOf().place(unhurried)
      for (const state of ['absent', 'expired'] as const) {
        const results = (
          await crewOf().all<Attempt[]>('contend', { place, count: contenders })
        ).flat()
        const winners = results.filter(({ ok }) => ok)
        expect(winners, `${state}, round ${round}`).toHaveLength(1)
        const codes = new Set(results.filter(({ ok }) => !ok).map(({ code }) => code))
        expect([...codes]).toEqual(['ERR_LEASE_EXISTS'])
        if (state === 'absent') place = await contextOf().expire(place, leaseOf(winners[0]))
      }
    }
  })

  test('is either renewed or taken over at its end, never both', patience, async () => {
    const won = { renewal: 0, takeover: 0 }
    if (contextOf().expiredIsGone) await raceAtTheEnd(won)
    else await raceAfterTheEnd(won)
    // Without both there was no race; but if the server ends leases, a renewal usually comes too late.
    expect(won.renewal).toBeGreaterThanOrEqual(contextOf().expiredIsGone ? 0 : 1)
    expect(won.takeover).toBeGreaterThan(0)
  })

  async function raceAfterTheEnd(won: { renewal: number; takeover: number }): Promise<void> {
    const pairs = crewOf().workers.length / 2
    for (let round = 0; round < counts.races; round += pairs) {
      await Promise.all(
        Array.from({ length: pairs }, async (_unused, pair) => {
          const [holder, taker] = crewOf().workers.slice(pair * 2)
          const place = contextOf().place(unhurried)
          const { lease } = await holder!.ask('acquire', { place })
          const later = await contextOf().expire(place, lease!)
          const at = monotonic() + 6
          const [renewal, takeover] = await Promise.all([
            holder!.ask('renew', { place: later, lease, at }),
            taker!.ask('acquire', { place: later, at }),
          ])
          expect([renewal.ok, takeover.ok].filter(Boolean), `round ${round}`).toHaveLength(1)
          won[renewal.ok ? 'renewal' : 'takeover']++
        }),
      )
    }
  }

  /** If the server ends leases, the race is at that moment. */
  async function raceAtTheEnd(won: { renewal: number; takeover: number }): Promise<void> {
    const batch = Math.min(40, counts.races)
    const pairs = crewOf().workers.length / 2
    for (let round = 0; round < counts.races; round += batch) {
      await Promise.all(
        Array.from({ length: batch }, async (_unused, index) => {
          const holder = crewOf().workers[index % pairs]!
          const taker = crewOf().workers[pairs + (index % pairs)]!
          const place = contextOf().place()
          const { lease, before } = await holder.ask('acquire', { place })
          const end = before + place.ttl
          const at = end + Math.random() * 1_000 - 100
          const [renewal, takeover] = await Promise.all([
            holder.ask('renewLater', { place, lease, at }),
            taker.ask('acquireUntil', {
              place,
              from: end - 200,
              until: at + place.ttl - 200,
              pause: 20,
            }),
          ])
          const both = renewal.ok && takeover.ok && takeover.after < renewal.before + place.ttl
          expect(both, `round ${round}`).toBe(false)
          if (renewal.ok) won.renewal++
          else if (takeover.ok) won.takeover++
        }),
      )
    }
  }

  test('is not lost to its new holder by the release of the old one', patience, async () => {
    const pairs = crewOf().workers.length / 2
    for (let round = 0; round < counts.races; round += pairs) {
      const expired = !contextOf().expiredIsGone && round % (2 * pairs) === 0
      await Promise.all(
        Array.from({ length: pairs }, async (_unused, pair) => {
          const [holder, taker] = crewOf().workers.slice(pair * 2)
          const place = contextOf().place(unhurried)
          const { lease } = await holder!.ask('acquire', { place })
          const later = expired ? await contextOf().expire(place, lease!) : place
          const at = monotonic() + 6
          const [release, takeover] = await Promise.all([
            holder!.ask('release', { place: later, lease, at }),
            taker!.ask('acquireUntil', { place: later, until: at + place.ttl }),
          ])
          const lateRelease = expired ? 'ERR_LEASE_NOT_HELD' : 'done'
          expect(['done', lateRelease]).toContain(release.ok ? 'done' : release.code)
          expect(takeover.ok).toBe(true)
          const kept = await taker!.ask('renew', { place: later, lease: takeover.lease })
          expect(kept, `round ${round}`).toMatchObject({ ok: true })
        }),
      )
    }
  })

  test(
    'uses no generation twice, whichever process is killed when, and is free again after the ttl',
    patience,
    async () => {
      using directory = temporaryDirectory()
      const log = directory.file('generations')
      const place = contextOf().place()
      await using own = new Crew(long ? processes : 4)
      const start = (index: number) => {
        // It never answers: it cycles until it is killed.
        own.workers[index]!.ask('cycle', { place, log }).catch(() => {})
      }
      own.workers.forEach((_worker, index) => start(index))
      const kills = Math.max(4, Math.round(counts.cycles / 40))
      for (let kill = 1; kill <= kills; kill++) {
        const target = (counts.cycles * kill) / kills
        await until(`${target} cycles are done`, () => read(log).length >= target, 300_000)
        await sleepless(Math.random() * 20)
        const index = kill % own.workers.length
        await own.replace(index)
        start(index)
      }
      await Promise.all(own.workers.map((worker) => worker.kill()))
      const ended = monotonic()
      const after = await crewOf().workers[0]!.ask('acquireUntil', {
        place,
        until: ended + place.ttl + 60_000,
        pause: 10,
      })
      expect(after.ok).toBe(true)
      // A heavily loaded machine is slow itself; the hand-over is timed elsewhere.
      const lines = readFileSync(log, 'utf8').trim().split('\n')
      const late = new Set(
        lines.filter((line) => line.startsWith('late ')).map((line) => line.slice(5)),
      )
      const generations = lines.filter((line) => !line.startsWith('late ')).map(BigInt)
      expect(new Set(generations).size).toBe(generations.length)
      const inTime = generations.filter((generation) => !late.has(`${generation}`))
      expect(inTime).toEqual(inTime.toSorted((one, other) => (one < other ? -1 : 1)))
      expect(BigInt(after.lease!.generation)).toBeGreaterThan(inTime.at(-1)!)
    },
  )
}

function read(log: string): string[] {
  try {
    return readFileSync(log, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

function leaseOf(attempt: Attempt | undefined): SentLease {
  if (attempt?.lease === undefined) throw new Error('there is no lease')
  return attempt.lease
}

/** A random instant is not an event, so it is waited for. */
async function sleepless(time: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, time))
}
