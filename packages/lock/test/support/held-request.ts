import type { LockManager, LockOptions } from '../../src/web-locks/index.ts'

/** A request of this thread that holds its lock until `release` is called. */
export interface HeldRequest {
  /** Resolves when the lock is held. */
  readonly granted: Promise<void>
  /** What the request gave: the value it was released with. */
  readonly result: Promise<unknown>
  readonly isGranted: () => boolean
  /** Releases it, and waits until it is released. */
  readonly release: (value?: unknown) => Promise<unknown>
}

/** Asks for a lock, to hold it. */
export function holdRequest(
  locks: LockManager,
  name: string,
  options: LockOptions = {},
): HeldRequest {
  let release: (value: unknown) => void = () => {}
  let grant = (): void => {}
  let isGranted = false
  const granted = new Promise<void>((resolve) => {
    grant = resolve
  })
  const released = new Promise<unknown>((resolve) => {
    release = resolve
  })
  const result = locks.request(name, options, async () => {
    isGranted = true
    grant()
    return released
  })
  // A test that expects a rejection looks at it later.
  result.catch(() => undefined)
  return {
    granted,
    result,
    isGranted: () => isGranted,
    release: async (value) => {
      release(value)
      return result
    },
  }
}
