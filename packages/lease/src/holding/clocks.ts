import { uptime } from 'node:os'

/**
 * Two clocks that cannot be set, in milliseconds, the same for all processes of a machine.
 *
 * On Linux the monotonic clock stands still while the machine sleeps (clock_gettime(2), CLOCK_MONOTONIC). The uptime goes on,
 * but may count only whole seconds.
 */
export interface Clocks {
  /** The clock of `performance.now()`, counted from the machine's start instead of the process's. */
  readonly monotonic: () => number
  /** `os.uptime()`. */
  readonly uptime: () => number
}

/** A moment by both clocks. It is plain data, and means the same to all processes of a machine. */
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

/** The moment `duration` ms after the given one. */
export function momentAfter(moment: Moment, duration: number): Moment {
  // If the uptime counts whole seconds, it may advance by a second at any moment.
  const coarse = Number.isInteger(moment.uptime / 1000) ? 1000 : 0
  return { monotonic: moment.monotonic + duration, uptime: moment.uptime + duration + coarse }
}

/** The milliseconds until a moment, by the clock that gives less; negative after the moment. */
export function timeUntil(moment: Moment, clocks: Clocks = systemClocks): number {
  const now = readClocks(clocks)
  return Math.min(moment.monotonic - now.monotonic, moment.uptime - now.uptime)
}
