import type { Clocks } from '../src/holding/clocks.ts'

/** Two clocks that a test sets, in ms. The uptime counts hundredths of a second, as Linux's does. */
export function settableClocks(): {
  time: { monotonic: number; uptime: number }
  clocks: Clocks
} {
  const time = { monotonic: 50_000.25, uptime: 50_010 }
  return {
    time,
    clocks: { monotonic: () => time.monotonic, uptime: () => time.uptime + 0.5 },
  }
}
