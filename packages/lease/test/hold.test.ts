import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileLeaser, hold, runWithLease, type Leaser } from '../src/index.ts'
import { leaseNotHeld, storeUnavailable } from '../src/errors.ts'
import { momentAfter, systemClocks, timeUntil } from '../src/holding/clocks.ts'
import { refusalOf } from './describe-leaser.ts'
import { succession } from './describe-hold.ts'
import { settableClocks } from './settable-clocks.ts'
import { wrapLeaser } from './wrap-leaser.ts'

let directory: TemporaryDirectory

beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => directory[Symbol.dispose]())

function leaser(options = {}): Leaser {
  return createFileLeaser({ dir: directory.path, clockSkew: 0, ...options })
}

describe('the deadline of a hold', () => {
  test.each(['monotonic', 'uptime'] as const)(
    'comes by the %s clock, though the other stands still',
    async (name) => {
      const { time, clocks: two } = settableClocks()
      const it = await hold(leaser(), { clocks: two, margin: 1_000 })
      time[name] += 28_999
      it.check()
      expect(it.remaining).toBeGreaterThan(0)
      time[name] += 1
      expect(() => it.check()).toThrow(expect.objectContaining({ code: 'ERR_LEASE_LOST' }))
      expect(it.signal.aborted).toBe(true)
      await it.release()
    },
  )

  test('counts from before the request, not from its answer', async () => {
    const { time, clocks: two } = settableClocks()
    const slow: Leaser = wrapLeaser(leaser(), {
      acquire: async (request) => {
        const lease = await leaser().acquire(request)
        time.monotonic += 20_000
        return lease
      },
    })
    const it = await hold(slow, { clocks: two, margin: 1_000 })
    expect(it.remaining).toBeCloseTo(9_000, 0)
    await it.release()
  })

  test('that is over when the answer comes is no hold: the lease is released again', async () => {
    const { time, clocks: two } = settableClocks()
    const slow: Leaser = wrapLeaser(leaser(), {
      acquire: async (request) => {
        const lease = await leaser().acquire(request)
        time.monotonic += 40_000
        return lease
      },
    })
    expect(await refusalOf(hold(slow, { clocks: two }))).toMatchObject({ code: 'ERR_LEASE_LOST' })
    expect(await leaser().inspect()).toMatchObject({ held: false })
  })

  test('is earlier by the clock skew and the margin', async () => {
    const { clocks: two } = settableClocks()
    const it = await hold(leaser({ clockSkew: 5_000 }), { clocks: two, margin: 500 })
    expect(it.remaining).toBeCloseTo(24_500, 0)
    await it.release()
  })

  test('is not put off by a renewal that comes too late', async () => {
    const { time, clocks: two } = settableClocks()
    const late: Leaser = wrapLeaser(leaser(), {
      renew: async (lease, request) => {
        const renewed = await leaser().renew(lease, request)
        time.uptime += 40_000
        return renewed
      },
    })
    const it = await hold(late, { clocks: two, heartbeat: 10 })
    await new Promise((resolve) => it.signal.addEventListener('abort', resolve))
    expect(it.remaining).toBe(0)
    await it.release()
    // It had been renewed all the same, and so had to be released.
    expect(await leaser().inspect()).toMatchObject({ held: false })
  })

  test('allows for an uptime that counts whole seconds', () => {
    const whole = { monotonic: 0, uptime: 5_000 }
    expect(momentAfter(whole, 100).uptime).toBe(6_100)
    expect(momentAfter({ monotonic: 0, uptime: 5_010 }, 100).uptime).toBe(5_110)
    expect(
      timeUntil(momentAfter({ monotonic: systemClocks.monotonic(), uptime: 0 }, 100)),
    ).toBeLessThan(0)
  })
})

describe('a hold', () => {
  test('is refused if skew and margin leave no time', async () => {
    const refusal = await refusalOf(hold(leaser({ clockSkew: 5_000 }), { ttl: 5_200 }))
    expect(refusal).toMatchObject({ code: 'ERR_LEASE_OPTION' })
    expect(await leaser().inspect()).toBeNull()
  })

  test.each([{ heartbeat: 30_000 }, { heartbeat: 0 }, { pollInterval: 0 }, { margin: -1 }])(
    'is refused with %o',
    async (options) => {
      expect(await refusalOf(hold(leaser(), options))).toMatchObject({ code: 'ERR_LEASE_OPTION' })
    },
  )

  test('waits no longer than its timeout, and then names the holder', async () => {
    await using held = await hold(leaser({ owner: 'the holder' }))
    const refusal = await refusalOf(hold(leaser(), { timeout: 60 }))
    expect(refusal).toMatchObject({
      code: 'ERR_LEASE_TIMEOUT',
      timeout: 60,
      owner: 'the holder',
      expiresAt: held.lease.expiresAt,
    })
  })

  test('stops to wait when it is told to, with the signal’s reason', async () => {
    await using held = await hold(leaser())
    held.check()
    const controller = new AbortController()
    const waiting = refusalOf(hold(leaser(), { signal: controller.signal }))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await waiting).toBe(reason)
  })

  test('survives renewals that fail, as long as one succeeds in time', async () => {
    let failures = 0
    const flaky: Leaser = wrapLeaser(leaser(), {
      renew: async (lease, request) => {
        if (failures++ < 3) throw storeUnavailable('x', 'did not answer')
        return leaser().renew(lease, request)
      },
    })
    const it = await new Promise<Awaited<ReturnType<typeof hold>>>((resolve, reject) => {
      hold(flaky, { heartbeat: 10, onRenew: resolve }).catch(reject)
    })
    it.check()
    expect(failures).toBe(4)
    await it.release()
  })

  test('does not wait for a store that never answered, but goes on asking one that did', async () => {
    const dead: Leaser = wrapLeaser(leaser(), {
      acquire: async () => {
        throw storeUnavailable('x', 'did not answer')
      },
    })
    expect(await refusalOf(hold(dead))).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
    await using held = await hold(leaser())
    let asked = 0
    const dying: Leaser = wrapLeaser(leaser(), {
      acquire: async (request) => {
        asked++
        if (asked === 2) throw storeUnavailable('x', 'did not answer')
        if (asked === 3) await held.release()
        return leaser().acquire(request)
      },
    })
    const next = await hold(dying, { pollInterval: 5 })
    expect(asked).toBe(3)
    await next.release()
  })

  test('is released once, and lost then', async () => {
    let releases = 0
    const counting: Leaser = wrapLeaser(leaser(), {
      release: async (lease) => {
        releases++
        await leaser().release(lease)
      },
    })
    const it = await hold(counting)
    await Promise.all([it.release(), it.release()])
    await it[Symbol.asyncDispose]()
    expect(releases).toBe(1)
    expect(() => it.check()).toThrow(expect.objectContaining({ code: 'ERR_LEASE_LOST' }))
    expect(it.signal.aborted).toBe(false)
  })

  test('whose lease cannot be released says so to the logger only: it ends by itself', async () => {
    const said: string[] = []
    const stuck: Leaser = wrapLeaser(leaser(), {
      release: async () => {
        throw storeUnavailable('x', 'did not answer')
      },
    })
    const it = await hold(stuck, { logger: { warn: (message) => said.push(message) } })
    await it.release()
    expect(said).toEqual(['cannot release the lease; it ends by itself'])
  })
})

describe('an action with a lease', () => {
  test('goes through its items as the README shows', async () => {
    const items = ['one', 'two']
    const done: { item: string; fencingToken: bigint }[] = []
    const process = async (item: string, to: { signal: AbortSignal; fencingToken: bigint }) => {
      to.signal.throwIfAborted()
      done.push({ item, fencingToken: to.fencingToken })
    }
    const generation = await runWithLease(leaser(), async (signal, held) => {
      for (const item of items) {
        held.check() // throws at once when the lease may be lost
        await process(item, { signal, fencingToken: held.generation })
      }
      return held.generation
    })
    expect(done).toEqual(items.map((item) => ({ item, fencingToken: generation })))
  })

  test('gives back its result, and the lease', async () => {
    const result = await runWithLease(leaser(), (_signal, { generation }) => generation)
    expect(result).toBe(1n)
    expect(await leaser().inspect()).toMatchObject({ held: false })
  })

  test('throws its own error, whatever the release does', async () => {
    const error = new Error('mine')
    const gone: Leaser = wrapLeaser(leaser(), {
      release: async () => {
        throw leaseNotHeld('x', 1n, 'gone')
      },
    })
    const refusal = await refusalOf(
      runWithLease(gone, async () => {
        throw error
      }),
    )
    expect(refusal).toBe(error)
  })
})

test('clocks four seconds apart have two holders if no skew is allowed for: the negative control', async () => {
  const [first, second] = await succession({
    backend: 'file',
    dir: directory.path,
    ttl: 6_000,
    maxTtl: 6_000,
    clockSkew: 0,
  })
  expect(second.from).toBeLessThan(first.until)
})
