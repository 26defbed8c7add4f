import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hold, type Held, type Lease, type Leaser } from '../src/index.ts'
import { leaseCorrupt, leaseNotHeld, leaseReleased, storeUnavailable } from '../src/errors.ts'

/** When something was done, in ms from the start. */
type Step = [what: string, at: number]

const start = 1_000_000
const steps: Step[] = []
const said: [message: string, error: unknown][] = []
const logger = {
  warn: (message: string, about?: { error?: unknown }) => void said.push([message, about?.error]),
}
/** Time goes on for them when the test says so. The uptime counts hundredths of a second. */
const clocks = { monotonic: () => Date.now(), uptime: () => Date.now() + 0.5 }
/** What the next renewals do, in ms or by an error. */
const renewals: (number | Error)[] = []
/** What the next releases fail with. */
const releases: Error[] = []
let asked: object[] = []

const pause = async (time: number): Promise<void> =>
  await new Promise((resolve) => setTimeout(resolve, time))
const note = (what: string): void => void steps.push([what, Date.now() - start])
const pass = async (time: number): Promise<unknown> => await vi.advanceTimersByTimeAsync(time)

function leaseOf(generation: bigint): Lease {
  return {
    generation,
    etag: `${steps.length}`,
    owner: 'me',
    expiresAt: new Date(start),
    remaining: 0,
  } as unknown as Lease
}

/** A store in memory that takes its time. */
function leaser(acquiring = 0): Leaser {
  return {
    type: 'memory',
    place: 'here',
    ttl: 30_000,
    maxTtl: 60_000,
    clockSkew: 0,
    acquire: async () => {
      if (acquiring > 0) await pause(acquiring)
      return leaseOf(1n)
    },
    renew: async (_lease, request) => {
      note('renew')
      asked.push(request ?? {})
      const how = renewals.shift() ?? 0
      if (how instanceof Error) throw how
      if (how > 0) await pause(how)
      return leaseOf(1n)
    },
    release: async () => {
      note('release')
      const error = releases.shift()
      if (error !== undefined) throw error
    },
    inspect: async () => null,
    reset: async () => undefined,
  }
}

async function held(options: object = {}, acquiring = 0): Promise<Held> {
  const holding = hold(leaser(acquiring), {
    clocks,
    logger,
    margin: 3_000,
    heartbeat: 9_000,
    ...options,
  })
  if (acquiring > 0) await pass(acquiring)
  const it = await holding
  it.signal.addEventListener('abort', () => note('lost'))
  return it
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: start })
  for (const list of [steps, said, renewals, releases]) list.length = 0
  asked = []
})
afterEach(() => vi.useRealTimers())

describe('a hold', () => {
  test('is renewed with every heartbeat, from before the request', async () => {
    const it = await held({}, 4_000)
    expect(it.deadline).toEqual({ monotonic: start + 27_000, uptime: start + 27_000.5 })
    renewals.push(2_000)
    await pass(24_000)
    expect(steps).toEqual([
      ['renew', 9_000],
      ['renew', 18_000],
      ['renew', 27_000],
    ])
    expect(it.deadline.monotonic).toBe(start + 27_000 + 27_000)
    expect(it.remaining).toBe(26_000)
    expect(asked).toEqual(asked.map(() => ({ ttl: 30_000, signal: expect.any(AbortSignal) })))
    await it.release()
  })

  test('that could not be renewed tries again after a fifth of what is left, and at least 20 ms', async () => {
    const it = await held()
    const gone = storeUnavailable('here', 'did not answer')
    renewals.push(...Array.from({ length: 200 }, () => gone))
    await pass(26_999)
    const times = steps.map(([, at]) => at)
    expect(times.slice(0, 3)).toEqual([9_000, 9_000 + 3_600, 12_600 + 2_880])
    expect(said.every(([message, error]) => /trying again/.test(message) && error === gone)).toBe(
      true,
    )
    expect(times.at(-1)! - times.at(-2)!).toBe(20)
    expect(it.signal.aborted).toBe(false)
    await pass(1)
    expect(steps.at(-1)).toEqual(['lost', 27_000])
    await it.release()
  })

  test('that could not be renewed tries again no later than with the next heartbeat', async () => {
    const it = await held({ heartbeat: 100 })
    renewals.push(storeUnavailable('here', 'did not answer'))
    await pass(250)
    expect(steps.map(([, at]) => at)).toEqual([100, 200])
    await it.release()
  })

  test.each([
    ['is another’s', leaseNotHeld('here', 1n, 'another has it')],
    ['cannot be read', leaseCorrupt('here', 'it is empty')],
  ])('whose lease %s is lost at once, says so, and asks no more', async (_, cause) => {
    const it = await held()
    renewals.push(cause)
    await pass(60_000)
    expect(steps).toEqual([
      ['renew', 9_000],
      ['lost', 9_000],
    ])
    expect(it.signal.reason).toMatchObject({ code: 'ERR_LEASE_LOST', cause })
    expect(said).toEqual([[it.signal.reason.message, it.signal.reason]])
    expect(vi.getTimerCount()).toBe(0)
    await it.release()
    expect(steps.at(-1)?.[0]).toBe('release')
  })

  test('is lost by the deadline while a renewal is under way, which is given up', async () => {
    const it = await held()
    renewals.push(40_000)
    await pass(9_000)
    const { signal } = asked[0] as { signal: AbortSignal }
    await pass(17_999)
    expect([signal.aborted, it.signal.aborted]).toEqual([false, false])
    await pass(1)
    expect([signal.aborted, it.signal.aborted, it.remaining]).toEqual([true, true, 0])
    // The answer comes all the same: what is lost stays lost.
    await pass(60_000)
    expect(steps.map(([what]) => what)).toEqual(['renew', 'lost'])
    expect(it.deadline.monotonic).toBe(start + 27_000)
    await it.release()
  })

  test('is lost within a second after the machine has slept', async () => {
    const it = await held()
    await pass(2_500)
    vi.setSystemTime(start + 100_000)
    await pass(1_000)
    expect(it.signal.aborted).toBe(true)
    expect(it.signal.reason).toMatchObject({ message: expect.stringContaining('in time') })
    await it.release()
  })

  test('is not lost if the machine has slept for less', async () => {
    const it = await held()
    await pass(2_500)
    vi.setSystemTime(start + 26_000)
    await pass(900)
    expect(it.signal.aborted).toBe(false)
    it.check()
    await it.release()
  })

  test('goes on if what it tells of its renewals fails, and says so', async () => {
    const error = new Error('mine')
    const it = await held({
      onRenew: () => {
        throw error
      },
    })
    await pass(18_500)
    expect(said).toEqual([
      ['onRenew failed', error],
      ['onRenew failed', error],
    ])
    it.check()
    await it.release()
  })

  test('that is released is neither renewed nor lost any more', async () => {
    const it = await held()
    await pass(5_000)
    await it.release()
    expect(vi.getTimerCount()).toBe(0)
    await pass(60_000)
    expect(steps).toEqual([['release', 5_000]])
    expect(it.signal.aborted).toBe(false)
    expect(() => it.check()).toThrow(expect.objectContaining({ code: 'ERR_LEASE_LOST' }))
  })

  test('that is released while it is renewed tells of no renewal', async () => {
    const told: Held[] = []
    const it = await held({ onRenew: (one: Held) => void told.push(one) })
    renewals.push(3_000)
    await pass(10_000)
    const released = it.release()
    await pass(3_000)
    await released
    expect(steps).toEqual([
      ['renew', 9_000],
      ['release', 12_000],
    ])
    expect(told).toEqual([])
    expect(it.deadline.monotonic).toBe(start + 27_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is lost to who asks at the deadline, before any timer tells', async () => {
    const it = await held()
    expect([it.generation, it.lease.generation]).toEqual([1n, 1n])
    vi.setSystemTime(start + 26_999)
    it.check()
    expect(it.remaining).toBe(1)
    vi.setSystemTime(start + 27_000)
    expect(it.signal.aborted).toBe(false)
    const lost = { code: 'ERR_LEASE_LOST', message: expect.stringContaining('in time') }
    expect(() => it.check()).toThrow(expect.objectContaining(lost))
    expect(it.signal.aborted).toBe(true)
    // Also if the clock is set back.
    vi.setSystemTime(start)
    expect(() => it.check()).toThrow(it.signal.reason as Error)
    expect(it.remaining).toBe(0)
    await it.release()
    expect(() => it.check()).toThrow(it.signal.reason as Error)
  })

  test('is lost by a renewal that is answered at the deadline, before any timer tells', async () => {
    const it = await held()
    const sleeping: Leaser['renew'] = async () => {
      vi.setSystemTime(start + 27_000)
      return leaseOf(1n)
    }
    const late = await hold(
      { ...leaser(), renew: sleeping },
      { clocks, margin: 3_000, heartbeat: 9_000 },
    )
    vi.setSystemTime(start)
    await pass(9_000)
    expect(late.signal.reason).toMatchObject({ message: expect.stringContaining('in time') })
    await late.release()
    await it.release()
  })

  test.each([leaseNotHeld('here', 1n, 'another has it'), leaseReleased('here', 1n)])(
    'that cannot be released, since it is over, is over: %s',
    async (error) => {
      const it = await held()
      releases.push(error)
      await it.release()
      expect(said).toEqual([])
    },
  )

  test('that cannot be released says so', async () => {
    const it = await held()
    const error = storeUnavailable('here', 'did not answer')
    releases.push(error)
    await it[Symbol.asyncDispose]()
    expect(said).toEqual([['cannot release the lease; it ends by itself', error]])
    expect(() => it.check()).toThrow(
      expect.objectContaining({ message: expect.stringContaining('released') }),
    )
  })

  test('needs nobody to tell', async () => {
    const gone = storeUnavailable('here', 'did not answer')
    const onRenew = () => {
      throw new Error('mine')
    }
    const silent = { clocks, margin: 3_000, heartbeat: 9_000 }
    for (const options of [{}, { onRenew }, { logger: {}, onRenew }]) {
      const it = await hold(leaser(), { ...silent, ...options })
      renewals.push(gone)
      await pass(9_000 + 3_600)
      it.check()
      renewals.push(...Array.from({ length: 300 }, () => gone))
      await pass(27_000)
      expect(it.signal.aborted).toBe(true)
      releases.push(gone)
      await it.release()
      renewals.length = 0
    }
  })
})
