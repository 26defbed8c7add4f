import type { EntryFormat } from '../entry/entry.ts'
import type { WaitOptions } from '@howdah/lock'

/** What a segment knows about its store. */
export interface SegmentPlace<State> {
  readonly identity: number
  /** The absolute path of its directory. */
  readonly directory: string
  /** The absolute path of the store's directory. */
  readonly base: string
  readonly format: EntryFormat<State>
  /** Whether entries are synced by default. */
  readonly durable: boolean
  /** Whether anything may be made here, such as the gate beside a lock. */
  readonly create: boolean
  /** Makes the segment again if it was removed. Rejects if the store may not make it. */
  readonly make: (options: WaitOptions) => Promise<void>
}
