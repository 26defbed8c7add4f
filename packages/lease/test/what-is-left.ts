import { vi } from 'vitest'

/** What a request has left: how many timers there were during it and after it, and who listened to its signal. */
export interface Left {
  readonly timers: readonly [during: number, after: number]
  readonly added: readonly unknown[]
  readonly removed: readonly unknown[]
}

/** Makes a request, which calls `during` while it waits for its answer, and tells what it has left. */
export async function whatIsLeft(
  request: (signal: AbortSignal, during: () => void) => Promise<unknown>,
): Promise<Left> {
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let count = 0
    await request(signal, () => (count = vi.getTimerCount()))
    return {
      timers: [count, vi.getTimerCount()],
      added: add.mock.calls.map(([, listener]) => listener),
      removed: remove.mock.calls.map(([, listener]) => listener),
    }
  } finally {
    vi.useRealTimers()
  }
}
