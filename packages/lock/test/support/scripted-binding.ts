import type { Binding, Native } from '../../src/binding/binding.ts'

type Flock = Binding['flock']

/** What a test does in place of flock(2), or around it: it is given the arguments and the real call. */
type FlockScript = (fd: number, operation: number, flock: Flock) => number

/** The operations of flock(2), the same everywhere. */
export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_UN = 8

/** The binding that a test has in hand: a real one, each call of which goes through the test's script. */
export interface Scripted {
  /** The operations that were asked for, in their order. */
  operations: number[]
  /** `null`: the real call. */
  script: FlockScript | null
  /** Whether opening, locking and checking is one call of the addon. Without it they are calls of their own, as with fs-ext. */
  inOneCall: boolean
  /** What a test does in place of other functions of the addon. */
  native: Partial<Native>
  /** What a test does in place of a wait in the queue of the kernel, or around it; `null`: the real wait. */
  wait: ((...words: [...Parameters<Native['wait']>, wait: Native['wait']]) => number) | null
}

/** As it is before each test. */
export const unscripted = (): Scripted => ({
  operations: [],
  script: null,
  inOneCall: false,
  native: {},
  wait: null,
})

/** The real binding as the test has scripted it. */
export function scripted(real: Binding, hand: Scripted): Binding {
  return {
    ...real,
    flock: (fd, operation) => {
      hand.operations.push(operation)
      return hand.script?.(fd, operation, real.flock) ?? real.flock(fd, operation)
    },
    native: hand.inOneCall && real.native !== null ? scriptedNative(real.native, hand) : null,
  }
}

function scriptedNative(real: Native, hand: Scripted): Native {
  const realWait: Native['wait'] = (...words) => real.wait(...words)
  const wait: Native['wait'] = (...words) => (hand.wait ?? realWait)(...words, realWait)
  return { ...real, ...hand.native, wait }
}
