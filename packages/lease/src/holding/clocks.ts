import { uptime } from 'node:os'

/**
 * Two clocks that nobody sets, in milliseconds, the same for all processes of a machine.
 *
 * On Linux the monotonic one stands still while the machine sleeps (clock_gettime(2), CLOCK_MONOTONIC); the uptime goes
 * on, but may count whole seconds only.
 */
export interface Clocks {
  /** The clock of `performance.now()`, counted from the machine's start instead of the process's. */
  readonly monotonic: () => number
  /** `os.uptime()`. */
  readonly uptime: () => number
}

/** One moment by both clocks. Plain data; another process of the same machine can read it. */
export interface Moment {
  readonly monotonic: number
  readonly uptime: number
}

export const systemClocks: Clocks = {
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  uptime: () => uptime() * 1000,
}

/** Now, by both clocks. */
export function readClocks(clocks: Clocks = systemClocks): Moment {
  return { monotonic: clocks.monotonic(), uptime: clocks.uptime() }
}

/** The moment `duration` ms after another one. */
export function momentAfter(moment: Moment, duration: number): Moment {
  // If the uptime counts whole seconds, it may look as if one had passed at once.
  const coarse = Number.isInteger(moment.uptime / 1000) ? 1000 : 0
  return { monotonic: moment.monotonic + duration, uptime: moment.uptime + duration + coarse }
}

/** Milliseconds until a moment, by the clock that says less; negative once it is over. */
export function timeUntil(moment: Moment, clocks: Clocks = systemClocks): number {
  const now = readClocks(clocks)
  return Math.min(moment.monotonic - now.monotonic, moment.uptime - now.uptime)
}
