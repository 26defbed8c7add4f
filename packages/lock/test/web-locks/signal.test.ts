// @vitest-environment-options { "alone": "web-locks/signal" }
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { locks } from '../support/fresh-locks.ts'
import { holdRequest } from '../support/held-request.ts'

const unreached = (): never => {
  throw new Error('the callback was called')
}
const abortError = expect.objectContaining({ name: 'AbortError' })

describe('a signal that is aborted already', () => {
  it('rejects with its reason, which by default is an AbortError', async () => {
    const signal = AbortSignal.abort()
    const request = locks.request('name', { signal }, unreached)
    await expect(request).rejects.toBe(signal.reason)
    await expect(request).rejects.toEqual(abortError)
    const given = AbortSignal.abort('my dog ate it')
    await expect(locks.request('name', { signal: given }, unreached)).rejects.toBe('my dog ate it')
  })
})

describe('a signal that is aborted', () => {
  it.each([undefined, 'my cat did it'])(
    'while the request waits rejects it with the reason %j, and takes it out of the queue',
    async (reason) => {
      const held = holdRequest(locks, 'name')
      const controller = new AbortController()
      const request = locks.request('name', { signal: controller.signal }, unreached)
      const after = holdRequest(locks, 'name')
      const { held: holders, pending } = await locks.query()
      expect([holders.length, pending.length]).toEqual([1, 2])
      controller.abort(reason)
      await expect(request).rejects.toBe(controller.signal.reason)
      expect((await locks.query()).pending).toHaveLength(1)
      await held.release()
      await after.granted
      await after.release()
      expect(readdirSync(locks.directory)).toEqual([])
    },
  )

  it('in the same turn rejects the request although the lock is free, and the next is served', async () => {
    const controller = new AbortController()
    const request = locks.request('name', { signal: controller.signal }, unreached)
    const next = locks.request('name', () => 'next')
    controller.abort()
    await expect(request).rejects.toBe(controller.signal.reason)
    expect(await next).toBe('next')
    expect(readdirSync(locks.directory)).toEqual([])
  })

  it('between the grant and the callback still prevents the callback, at whatever step', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const controller = new AbortController()
      let called = false
      const request = locks
        .request('name', { signal: controller.signal }, () => {
          called = true
          return 'called'
        })
        .catch((error: unknown) => error)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      const wasCalled = called
      controller.abort()
      expect(await request).toBe(wasCalled ? 'called' : controller.signal.reason)
      expect(called).toBe(wasCalled)
      expect(await locks.request('name', () => 'free')).toBe('free')
    }
    expect(readdirSync(locks.directory)).toEqual([])
  })

  it('when the callback runs, or has run, changes nothing', async () => {
    const controller = new AbortController()
    const held = holdRequest(locks, 'name', { signal: controller.signal })
    await held.granted
    controller.abort()
    expect(await held.release('fine')).toBe('fine')
    const later = new AbortController()
    const again = holdRequest(locks, 'name', { signal: later.signal })
    await again.granted
    const released = again.release('fine')
    later.abort()
    expect(await released).toBe('fine')
  })

  it('never leaves a request, a descriptor or a listener, whenever it comes', async () => {
    const held = holdRequest(locks, 'name')
    await held.granted
    const aborted = Array.from({ length: 300 }, async (_, index) => {
      const signal = AbortSignal.timeout(index % 30)
      const mode = index % 3 === 0 ? 'exclusive' : 'shared'
      return locks.request('name', { signal, mode }, unreached).catch((error: unknown) => error)
    })
    for (const error of await Promise.all(aborted))
      expect(error).toEqual(expect.objectContaining({ name: 'TimeoutError' }))
    expect((await locks.query()).pending).toEqual([])
    await held.release()
    expect(readdirSync(locks.directory)).toEqual([])
  })
})

describe('a signal that is not aborted', () => {
  it('changes nothing', async () => {
    const { signal } = new AbortController()
    expect(await locks.request('name', { signal }, (lock) => lock?.name)).toBe('name')
  })
})
