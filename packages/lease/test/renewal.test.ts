import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createFileLeaser,
  hold,
  type Lease,
  type Leaser,
  type LeaseReference,
} from '../src/index.ts'
import { leaseCorrupt, leaseNotHeld, storeUnavailable } from '../src/errors.ts'
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

/** Resolves once the hold is lost. */
function lost(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}

describe('the renewal of a hold', () => {
  test('moves the deadline on from before its request, not from its answer', async () => {
    const { time, clocks } = settableClocks()
    const slow = wrapLeaser(leaser(), {
      renew: async (lease, request) => {
        const renewed = await leaser().renew(lease, request)
        time.monotonic += 7_000
        return renewed
      },
    })
    const remaining = await new Promise<number>((resolve, reject) => {
      hold(slow, {
        clocks,
        margin: 1_000,
        heartbeat: 5,
        onRenew: (held) => {
          resolve(held.remaining)
          void held.release()
        },
      }).catch(reject)
    })
    expect(remaining).toBeCloseTo(22_000, 0)
  })

  test('ends the hold at once if the record is corrupt: nobody can say who holds it', async () => {
    const corrupt = wrapLeaser(leaser(), {
      renew: async () => {
        throw leaseCorrupt('x', 'it is empty')
      },
    })
    const it = await hold(corrupt, { heartbeat: 5 })
    await lost(it.signal)
    expect(it.signal.reason).toMatchObject({
      code: 'ERR_LEASE_LOST',
      cause: { code: 'ERR_LEASE_CORRUPT' },
    })
    expect(it.remaining).toBe(0)
    await it.release()
  })

  test('asks no more once it has found the lease lost', async () => {
    let renewals = 0
    const gone = wrapLeaser(leaser(), {
      renew: async () => {
        renewals++
        throw leaseNotHeld('x', 1n, 'another holds it')
      },
    })
    const it = await hold(gone, { heartbeat: 1 })
    await lost(it.signal)
    // Timers run in the order of their times: a further renewal would come first.
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(renewals).toBe(1)
    await it.release()
  })

  test('that fails after the release is neither said nor repeated', async () => {
    const said: string[] = []
    let renewals = 0
    let reached: () => void = () => {}
    const underWay = new Promise<void>((resolve) => {
      reached = resolve
    })
    const failing = wrapLeaser(leaser(), {
      renew: async (_lease, request) => {
        renewals++
        reached()
        await new Promise((resolve) => request?.signal?.addEventListener('abort', resolve))
        throw storeUnavailable('x', 'did not answer')
      },
    })
    const it = await hold(failing, {
      heartbeat: 1,
      logger: { warn: (message) => said.push(message) },
    })
    await underWay
    await it.release()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(renewals).toBe(1)
    expect(said).toEqual([])
  })
})

describe('the release of a hold', () => {
  test('waits for a renewal under way, and gives back what that made of the lease', async () => {
    const steps: string[] = []
    let answer: () => void = () => {}
    let reached: () => void = () => {}
    const underWay = new Promise<void>((resolve) => {
      reached = resolve
    })
    let renewed: Lease | undefined
    let given: LeaseReference | undefined
    const slow = wrapLeaser(leaser(), {
      renew: async (lease) => {
        reached()
        await new Promise<void>((resolve) => {
          answer = resolve
        })
        renewed = await leaser().renew(lease)
        steps.push('renewed')
        return renewed
      },
      release: async (lease) => {
        steps.push('released')
        given = lease
        await leaser().release(lease)
      },
    })
    const it = await hold(slow, { heartbeat: 1 })
    await underWay
    const releasing = it.release()
    await new Promise((resolve) => setImmediate(resolve))
    expect(steps).toEqual([])
    answer()
    await releasing
    expect(steps).toEqual(['renewed', 'released'])
    expect(given?.etag).toBe(renewed?.etag)
    expect(await leaser().inspect()).toMatchObject({ held: false })
  })

  test('ends a renewal that does not answer', async () => {
    let reached: () => void = () => {}
    const underWay = new Promise<void>((resolve) => {
      reached = resolve
    })
    const stuck = wrapLeaser(leaser(), {
      renew: async (_lease, request) => {
        reached()
        await new Promise((_resolve, reject) => {
          request?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        })
        throw new Error('never reached')
      },
    })
    const it = await hold(stuck, { heartbeat: 1 })
    await underWay
    await it.release()
    expect(await leaser().inspect()).toMatchObject({ held: false })
  })
})
