import type { WatchdogKind } from '../watchdog/watchdog.ts'
import type { WaitOptions } from './waiting.ts'

/** How to become the only user of a subject. */
export interface ChangeOptions extends WaitOptions {
  /** Throw `ERR_COORDINATE_DOES_NOT_EXIST` instead of making the file or directory of the change lock. */
  readonly ifExists?: boolean | undefined
  /** Do not wait for the users to leave; they will lose the server. */
  readonly force?: boolean | undefined
  readonly watchdog?: WatchdogKind | undefined
}
