import type { EntryFormat } from '../entry/entry.ts'
import type { WaitOptions } from '@howdah/lock'

/** What a segment knows of the store that it is in. */
export interface SegmentPlace<State> {
  readonly identity: number
  /** The absolute path of its directory. */
  readonly directory: string
  /** The absolute path of the store's directory. */
  readonly base: string
  readonly format: EntryFormat<State>
  /** Whether what is saved survives a power failure unless told otherwise. */
  readonly durable: boolean
  /** Whether anything may be made here, such as the gate beside a lock. */
  readonly create: boolean
  /** Makes the segment if it is not there any more. Rejects if that must not be done. */
  readonly make: (options: WaitOptions) => Promise<void>
}
