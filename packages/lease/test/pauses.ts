import type * as Timers from 'node:timers/promises'

/** The pauses of the code under test, which take no time: how long each was, in ms, and what happens during one. */
export const pauses = {
  times: [] as number[],
  during: (): void => undefined,

  reset(): void {
    pauses.times = []
    pauses.during = () => undefined
  },

  /** `node:timers/promises` with these pauses, for `vi.mock`. */
  replacing(real: typeof Timers): typeof Timers {
    const sleep: typeof real.setTimeout = async (ms, value, options) => {
      pauses.times.push(ms ?? 0)
      pauses.during()
      return await real.setTimeout(0, value, options)
    }
    return { ...real, setTimeout: sleep }
  },
}
