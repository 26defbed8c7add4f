import { bundled, chain, defaultStrategy, type Strategy } from '@howdah/runtime'

/** How many jobs there are to be done. */
export const jobs = 1000

/** The queue's name. */
export const queue = 'squares'

/** What a job carries. */
export interface Job {
  readonly number: number
}

/** What the workers tell the main process. */
export type Report =
  | { readonly kind: 'joined'; readonly worker: string; readonly started: boolean }
  | { readonly kind: 'done'; readonly worker: string; readonly job: number }
  | { readonly kind: 'finished'; readonly worker: string; readonly done: number }
  | { readonly kind: 'trouble'; readonly worker: string; readonly message: string }

/** The PostgreSQL that the demo brings along, and only if there is none for this platform, the system's. */
export function strategy(): Strategy {
  return chain(bundled({ from: import.meta.url }), defaultStrategy())
}
