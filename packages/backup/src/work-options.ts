import type { Wait } from '@howdah/coordinate'
import type { Progress } from './backup.ts'

/** How to wait for others, follow and end what takes long. */
export interface WorkOptions {
  /** In ms: how long to wait for others who work on the same cluster or directory. Without it there is no limit. */
  waitTimeout?: number | undefined
  /** Ends it; the call then rejects with the signal's reason, and what it had made is removed. */
  signal?: AbortSignal | undefined
  /** Told how far it is, some times a second. */
  onProgress?: ((progress: Progress) => void) | undefined
  /** Told, once each, what is waited for. */
  onWait?: ((wait: Pick<Wait, 'holders'>) => void) | undefined
}
