import type { LockMode } from '../lock-mode.ts'

/** What a callback gets: which lock is held while it runs. */
export class WebLock {
  /** The name that was asked for. */
  readonly name: string
  readonly mode: LockMode

  /** @internal Locks come from `LockManager.request`. */
  constructor(name: string, mode: LockMode) {
    this.name = name
    this.mode = mode
  }
}
