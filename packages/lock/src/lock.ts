import { hasGate, openGate, tryGate, type Steps } from './waiting/contend.ts'
import { drive } from './waiting/drive.ts'
import { LockError, deadlock, lockLost, lockReleased } from './errors.ts'
import { inSuccession, noteGivenUp, noteHeld } from './held-locks.ts'
import { kernelLocksOn, quickHolders } from './process/holder.ts'
import type { LockFile } from './lock-file.ts'
import type { LockMode } from './lock-mode.ts'
import { Patience } from './waiting/patience.ts'
import { checkTimeout, type WaitOptions } from './waiting/request.ts'

/** Options of {@link Lock.upgrade}. */
export type UpgradeOptions = WaitOptions

/** How long an upgrade waits for the gate before it says that it is a deadlock, in ms: others take it only in passing. */
const gatePatience = 100

/**
 * A lock that is held until it is released, disposed, or its process ends.
 *
 * It belongs to an open file description: a child that is given {@link Lock.fd} in its `stdio` holds it, too, and
 * `release()` here releases it there.
 */
export class Lock implements Disposable, AsyncDisposable {
  /** The absolute path of the locked file or directory. */
  readonly path: string
  /** There may be a gate beside the file. */
  readonly #gated: boolean
  /** Others may have copies of the descriptor. */
  #shared = false
  #file: LockFile | null
  #mode: LockMode

  /** @internal Locks come from `acquire`, `tryAcquire` and `acquireSync`. */
  constructor(file: LockFile, gated: boolean) {
    this.path = file.path
    this.#file = file
    this.#mode = file.mode ?? 'exclusive'
    this.#gated = gated
    noteHeld(this, file)
  }

  /** The mode it is, or at last was, held in. */
  get mode(): LockMode {
    return this.#mode
  }

  /** Whether it is held. */
  get held(): boolean {
    return this.#file !== null
  }

  /**
   * The descriptor, for a child's `stdio` or for reading the file. Closing it is `release()`'s business.
   *
   * Throws `ERR_LOCK_RELEASED`.
   */
  get fd(): number {
    const { fd } = this.#require('the descriptor')
    this.#shared = true
    return fd
  }

  /** Whether the path still leads to the file that is locked: somebody may have removed or replaced it. */
  isCurrent(): boolean {
    return this.#require('isCurrent()').isCurrent()
  }

  /** Unlocks, for every process that has the descriptor, and closes. Idempotent and synchronous. */
  release(): void {
    this.#forget()?.release(inSuccession() && !this.#shared)
  }

  /**
   * Closes the descriptor **without** unlocking: a child that was given it in its `stdio` holds on, until it ends. If
   * nobody else has the descriptor, that is a release. Idempotent.
   */
  detach(): void {
    this.#forget()?.close()
  }

  /**
   * Turns an exclusive lock into a shared one and lets readers in; nobody can write in between.
   *
   * Throws `ERR_LOCK_RELEASED`, and `ERR_LOCK_LOST` if the kernel gave it to somebody else.
   */
  downgrade(): void {
    const file = this.#require('downgrade()')
    if (this.#mode === 'shared') return
    if (!file.tryLock('shared')) throw this.#lost(file, 'downgraded')
    this.#mode = 'shared'
  }

  /**
   * Turns a shared lock into an exclusive one, if nobody else has it. `false`: it is still shared.
   *
   * flock(2) converts by releasing first. So, on Linux, this looks for other holders before it tries; and if a try
   * fails and it cannot get the shared lock back, it throws `ERR_LOCK_LOST`. Throws `ERR_LOCK_RELEASED`.
   */
  tryUpgrade(): boolean {
    const file = this.#require('tryUpgrade()')
    // Keeps other upgraders and newcomers away meanwhile. If somebody else has it, that must do without.
    const gate = this.#gated && this.#mode === 'shared' ? tryGate(this.path) : null
    try {
      return this.#convert(file)
    } finally {
      gate?.release()
    }
  }

  /**
   * Turns a shared lock into an exclusive one, if nobody else has it. `false`: somebody has, and this one is released.
   *
   * For a caller that would give the lock up anyway: a refused conversion of flock(2) does that. So nothing has to be
   * found out beforehand, which on Linux may take some milliseconds, and no gate is taken. Throws
   * `ERR_LOCK_RELEASED`.
   */
  upgradeOrRelease(): boolean {
    const file = this.#require('upgradeOrRelease()')
    if (this.#mode === 'exclusive') return true
    if (!file.tryLock('exclusive')) {
      this.release()
      return false
    }
    this.#mode = 'exclusive'
    return true
  }

  /**
   * Turns a shared lock into an exclusive one, and waits for the other readers to leave.
   *
   * Two processes that both keep their shared lock would wait for each other for ever: the second one gets
   * `ERR_LOCK_DEADLOCK` and still has the shared lock. So does one that meets a waiting writer. After a timeout or an
   * abort the lock is still shared. Throws `ERR_LOCK_LOST` if somebody took the lock in between. On a directory,
   * or a lock that was taken with `fair: false`, there is no gate by which two could see each other: give a timeout.
   */
  async upgrade(options: UpgradeOptions = {}): Promise<void> {
    const file = this.#require('upgrade()')
    const { timeout = Infinity, signal, onWait } = options
    checkTimeout(this.path, timeout)
    const { path } = this
    const patience = new Patience({ path, mode: 'exclusive', timeout, signal })
    signal?.throwIfAborted()
    if (this.tryUpgrade()) return
    onWait?.({ path, mode: 'exclusive', holders: quickHolders(path) })
    await drive(this.#upgrading(file), patience)
  }

  /** Releases. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Releases. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }

  *#upgrading(file: LockFile): Steps<void> {
    const gate = this.#gated ? yield* this.#passGate() : null
    try {
      while (!this.#convert(file)) yield null
    } finally {
      gate?.release()
    }
  }

  /** Takes the gate. A process that keeps it for long waits for us. */
  *#passGate(): Steps<LockFile | null> {
    const deadline = performance.now() + gatePatience
    let gate = openGate(this.path, 'exclusive')
    try {
      for (;;) {
        if (gate === null || hasGate(gate)) {
          const passed = gate
          gate = null
          return passed
        }
        if (performance.now() > deadline) {
          throw deadlock(
            this.path,
            'somebody else already waits to have it exclusively, and would wait for this shared lock',
            'it is still shared: release it, acquire it exclusively, and read again what it guards',
          )
        }
        yield null
      }
    } finally {
      gate?.release()
    }
  }

  /** One try to have it exclusively. `false`: it is still shared. */
  #convert(file: LockFile): boolean {
    if (file !== this.#file) throw lockReleased(this.path, 'upgrade()')
    if (this.#mode === 'exclusive') return true
    if (kernelLocksOn(file).filter(({ blocked }) => !blocked).length > 1) return false
    if (file.tryLock('exclusive')) {
      this.#mode = 'exclusive'
      return true
    }
    if (!file.tryLock('shared')) throw this.#lost(file, 'upgraded')
    return false
  }

  #lost(file: LockFile, doing: string): LockError {
    this.#forget()
    file.close()
    return lockLost(this.path, doing)
  }

  #require(what: string): LockFile {
    if (this.#file === null) throw lockReleased(this.path, what)
    return this.#file
  }

  #forget(): LockFile | null {
    const file = this.#file
    if (file === null) return null
    this.#file = null
    noteGivenUp(file)
    return file
  }
}
