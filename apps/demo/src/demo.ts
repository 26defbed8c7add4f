import { bundled, chain, defaultStrategy, type Strategy } from '@howdah/runtime'

/** The number of jobs. */
export const jobs = 1000

/** The queue's name. */
export const queue = 'squares'

/** The data of a job. */
export interface Job {
  readonly number: number
}

/** The messages of the workers to the main process. */
export type Report =
  | { readonly kind: 'joined'; readonly worker: string; readonly started: boolean }
  | { readonly kind: 'done'; readonly worker: string; readonly job: number }
  | { readonly kind: 'finished'; readonly worker: string; readonly done: number }
  | { readonly kind: 'trouble'; readonly worker: string; readonly message: string }

/** The PostgreSQL that the demo bundles; if there is none for this platform, the system's. */
export function strategy(): Strategy {
  return chain(bundled({ from: import.meta.url }), defaultStrategy())
}
