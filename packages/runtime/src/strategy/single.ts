import type { ConstraintLike } from '../version/constraint-like.ts'
import { satisfies } from '../version/satisfies.ts'
import type { Runtime } from '../runtime.ts'
import type { Strategy } from './strategy.ts'

/** A strategy that knows only this runtime. */
export function single(runtime: Runtime): Strategy {
  return {
    name: 'single',
    runtimes: () => Promise.resolve([runtime]),
    select: (constraint: ConstraintLike) =>
      Promise.resolve(satisfies(runtime, constraint) ? runtime : null),
    fallback: () => Promise.resolve(runtime),
    diagnose: () => Promise.resolve([]),
  }
}
