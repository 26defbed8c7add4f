import type { Wait } from '@howdah/coordinate'
import type { Progress } from './backup.ts'

/** How to wait for other processes, and how to follow and end long work. */
export interface WorkOptions {
  /** How long to wait for other processes that work on the same cluster or directory, in ms; by default without limit. */
  waitTimeout?: number | undefined
  /** Ends the work: the call then rejects with the signal's reason, and its unfinished files are removed. */
  signal?: AbortSignal | undefined
  /** Called with the progress, some times a second. */
  onProgress?: ((progress: Progress) => void) | undefined
  /** Called once for each thing that it waits for. */
  onWait?: ((wait: Pick<Wait, 'holders' | 'over'>) => void) | undefined
}
