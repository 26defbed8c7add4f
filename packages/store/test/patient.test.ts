import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { patient, waitFor } from '../src/patient.ts'

const failure = { step: 'open store segment 7', path: '/store' }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** An action that another call has begun, and a way to end it. */
function begun(): { action: Promise<string>; end: (result: string) => void } {
  let end: (result: string) => void = () => undefined
  const action = new Promise<string>((resolve) => {
    end = resolve
  })
  return { action, end }
}

/** How a promise ended by now; `null` if it has not. */
async function endOf(promise: Promise<unknown>): Promise<unknown> {
  return await Promise.race([
    promise.catch((error: unknown) => error),
    vi.advanceTimersByTimeAsync(0).then(() => null),
  ])
}

describe('a wait for what another call has begun', () => {
  test('gives what that gives, or its error, and leaves nothing', async () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const { action, end } = begun()
    const waiting = waitFor(action, { timeout: 50, signal }, failure)
    end('made')
    expect(await waiting).toBe('made')
    expect(vi.getTimerCount()).toBe(0)
    expect(removed).toHaveBeenCalledTimes(1)
    const failed = new Error('failed')
    await expect(waitFor(Promise.reject(failed), {}, failure)).rejects.toBe(failed)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends after its timeout, and not before; the action goes on', async () => {
    const { action, end } = begun()
    const waiting = waitFor(action, { timeout: 50 }, failure)
    await vi.advanceTimersByTimeAsync(49)
    expect(await endOf(waiting)).toBeNull()
    await vi.advanceTimersByTimeAsync(1)
    await expect(waiting).rejects.toMatchObject({
      code: 'ERR_STORE_LOCK_TIMEOUT',
      message: expect.stringContaining('after 50 ms'),
      ...failure,
    })
    end('made')
    expect(await action).toBe('made')
  })

  test('ends after 30 s by default', async () => {
    const waiting = waitFor(begun().action, {}, failure)
    // Nobody waits for it yet when it ends.
    waiting.catch(() => undefined)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_STORE_LOCK_TIMEOUT' })
  })

  test.each([Infinity, 2 ** 31])(
    'with a timeout of %d ms, which no timer takes, ends with the action alone',
    async (timeout) => {
      const { action, end } = begun()
      const waiting = waitFor(action, { timeout }, failure)
      expect(vi.getTimerCount()).toBe(0)
      end('made')
      expect(await waiting).toBe('made')
    },
  )

  test('ends with the reason of the signal, before it and meanwhile', async () => {
    const reason = new Error('enough')
    const done = Promise.resolve('made')
    const aborted = { signal: AbortSignal.abort(reason) }
    await expect(waitFor(done, aborted, failure)).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting = waitFor(begun().action, { signal: controller.signal }, failure)
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('a wait has 30 s unless told otherwise, and nothing but the options of a wait', () => {
  const onWait = (): void => undefined
  const { signal } = new AbortController()
  expect(patient({})).toEqual({ timeout: 30_000, signal: undefined, onWait: undefined })
  const more = { timeout: 0, signal, onWait, kind: 7 }
  expect(patient(more)).toEqual({ timeout: 0, signal, onWait })
})
