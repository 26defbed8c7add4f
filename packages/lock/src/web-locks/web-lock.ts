import type { LockMode } from '../lock-mode.ts'

/** The argument of a callback: the lock that is held while the callback runs. */
export class WebLock {
  /** The requested name. */
  readonly name: string
  readonly mode: LockMode

  /** @internal Locks come from `LockManager.request`. */
  constructor(name: string, mode: LockMode) {
    this.name = name
    this.mode = mode
  }
}
