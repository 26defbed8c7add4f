import { hasGate, openGate, tryGate, type Steps } from './waiting/contend.ts'
import { drive } from './waiting/drive.ts'
import { LockError, deadlock, lockLost, lockReleased } from './errors.ts'
import { inSuccession, noteGivenUp, noteHeld } from './held-locks.ts'
import { kernelLocksOn } from './process/holder.ts'
import type { LockFile } from './lock-file.ts'
import type { LockMode } from './lock-mode.ts'
import { Patience } from './waiting/patience.ts'
import { checkTimeout, type WaitOptions } from './waiting/request.ts'
import { tellWait } from './waiting/tell-wait.ts'

/** Options of {@link Lock.upgrade}. */
export type UpgradeOptions = WaitOptions

/**
 * How long an upgrade waits for the gate before it reports a deadlock, in ms. Others hold the gate only for an instant,
 * unless they wait for the lock.
 */
const gatePatience = 100

/**
 * A lock that is held until it is released, disposed, or its process ends.
 *
 * The lock belongs to an open file description. A child that is given {@link Lock.fd} in its `stdio` holds the lock, too, and
 * `release()` in the parent also releases it for the child.
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

  /** The mode of the lock; after its release, the last mode. */
  get mode(): LockMode {
    return this.#mode
  }

  /** Whether the lock is held. */
  get held(): boolean {
    return this.#file !== null
  }

  /**
   * The descriptor, for a child's `stdio` or for reading the file. Do not close it; `release()` does.
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
   * Closes the descriptor **without** unlocking: a child that was given the descriptor in its `stdio` keeps the lock until
   * the child ends. If no other process has the descriptor, the lock is released. Idempotent.
   */
  detach(): void {
    this.#forget()?.close()
  }

  /**
   * Turns an exclusive lock into a shared one and so lets readers in.
   *
   * Throws `ERR_LOCK_RELEASED`, and `ERR_LOCK_LOST` if the kernel gave the lock to another process during the conversion.
   */
  downgrade(): void {
    const file = this.#require('downgrade()')
    if (this.#mode === 'shared') return
    if (!file.tryLock('shared')) throw this.#lost(file, 'downgraded')
    this.#mode = 'shared'
  }

  /**
   * Turns a shared lock into an exclusive one if nobody else has it. `false`: the lock is still shared.
   *
   * flock(2) converts a lock by releasing it first. So on Linux this method looks for other holders before it tries. Throws
   * `ERR_LOCK_LOST` if a try failed and the shared lock could not be taken again, and `ERR_LOCK_RELEASED`.
   */
  tryUpgrade(): boolean {
    const file = this.#require('tryUpgrade()')
    // The gate keeps other upgraders and newcomers away meanwhile. If somebody else has the gate, the upgrade is tried
    // without it.
    const gate = this.#gated && this.#mode === 'shared' ? tryGate(this.path) : null
    try {
      return this.#convert(file)
    } finally {
      gate?.release()
    }
  }

  /**
   * Turns a shared lock into an exclusive one if nobody else has it. `false`: somebody else has the lock, and this lock is
   * released.
   *
   * Use it if you would release the lock anyway. A refused conversion of flock(2) releases the lock, so this method need not
   * look for other holders first, which on Linux may take some milliseconds, and takes no gate. Throws `ERR_LOCK_RELEASED`.
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
   * Two upgraders that both keep their shared lock would wait for each other for ever. So the second upgrader, and an
   * upgrader that finds a waiting writer, gets `ERR_LOCK_DEADLOCK` and keeps its shared lock. After a timeout or an abort the
   * lock is still shared. Rejects with `ERR_LOCK_LOST` if another process took the lock in between. A lock on a directory,
   * and a lock taken with `fair: false`, have no gate by which two upgraders could see each other: give a timeout.
   */
  async upgrade(options: UpgradeOptions = {}): Promise<void> {
    const file = this.#require('upgrade()')
    const { timeout = Infinity, signal, onWait } = options
    checkTimeout(this.path, timeout)
    const { path } = this
    const patience = new Patience({ path, mode: 'exclusive', timeout, signal })
    signal?.throwIfAborted()
    if (this.tryUpgrade()) return
    using _ = tellWait({ path, mode: 'exclusive', onWait })
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

  /** Takes the gate. A process that keeps the gate for long waits for the lock, and so for us. */
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

  /** Tries once to make the lock exclusive. `false`: it is still shared. */
  #convert(file: LockFile): boolean {
    if (file !== this.#file) throw lockReleased(this.path, 'upgrade()')
    if (this.#mode === 'exclusive') return true
    if (hasOthers(file)) return false
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

/**
 * Whether others have the lock, too.
 *
 * The kernel gives its table in pieces of 4096 bytes, and other processes take and release locks in between, so one lock may
 * be in it twice. Two processes are certain; two lines of one process are believed if each of sixteen looks shows them.
 * Measured on a machine under load: a look was wrong in one of three cases.
 */
function hasOthers(file: LockFile): boolean {
  for (let look = 0; look < 16; look += 1) {
    const takers = kernelLocksOn(file).filter(({ blocked }) => !blocked)
    if (takers.length < 2) return false
    if (takers.some(({ pid }) => pid !== takers[0]?.pid)) return true
  }
  return true
}
