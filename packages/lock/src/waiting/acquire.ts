import { binding } from '../binding/load-binding.ts'
import { attempt, contend, tryOnce } from './contend.ts'
import { drive, driveSync } from './drive.ts'
import { deadlock, timedOut } from '../errors.ts'
import { quickHolder } from '../process/holder.ts'
import { mayWaitAgain, waitInKernel } from './kernel-wait.ts'
import type { LockFile } from '../lock-file.ts'
import { Lock } from '../lock.ts'
import { Patience } from './patience.ts'
import { Turn, isQueued, isQueuedByAnyName } from './queue.ts'
import { request, type AcquireOptions, type Request, type TryOptions } from './request.ts'
import { tellWait } from './tell-wait.ts'
import { threadState } from './thread-state.ts'

/**
 * Waits for a lock on a file or directory.
 *
 * The file is made if it is missing (its directory is not), and is never truncated, written or removed. Neither the event
 * loop nor libuv's pool is blocked. Waiters of one mode are served in the order in which they were blocked.
 *
 * Rejects with the signal's reason when aborted, else with a `LockError`. Waiting: `ERR_LOCK_TIMEOUT`. The call:
 * `ERR_LOCK_OPTION`. The file: `ERR_LOCK_NOT_FOUND`, `ERR_LOCK_PERMISSION`, `ERR_LOCK_SYMLINK`, `ERR_LOCK_NO_SPACE`,
 * `ERR_LOCK_TOO_MANY_FILES`, `ERR_LOCK_IO`. Locking itself: `ERR_LOCK_UNSUPPORTED`, `ERR_LOCK_BINDING`.
 *
 * @example
 * await using lock = await acquire('state.lock', { timeout: 5_000 })
 */
export function acquire(path: string, options: AcquireOptions = {}): Promise<Lock> {
  try {
    return acquireLock(request(path, options))
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Tries once to take a lock; gives `null` if somebody has it. It never waits and does not stand in line: it takes a free lock
 * even if others wait for it. Rejects as {@link acquire} does, but never with `ERR_LOCK_TIMEOUT`.
 */
export async function tryAcquire(path: string, options: TryOptions = {}): Promise<Lock | null> {
  const wanted = request(path, options)
  const file = tryOnce(wanted)
  return file && lockOf(file, wanted)
}

/**
 * Waits for a lock and **blocks the thread** meanwhile. Use it in scripts and at the exit of a process.
 *
 * `signal` cannot fire while the thread is blocked, so it is checked only at the start. Throws what {@link acquire} rejects
 * with, and `ERR_LOCK_DEADLOCK` if this thread has the lock, which it could not release while it waits.
 */
export function acquireSync(path: string, options: AcquireOptions = {}): Lock {
  const wanted = request(path, options)
  wanted.signal?.throwIfAborted()
  // A waiter of this thread that has the gate could not go on while the thread is blocked, so it is overtaken.
  const overtake = isQueuedByAnyName(wanted.path)
  const file = attempt(wanted, wanted.timeout !== 0 && !overtake)
  if (file.mode !== null) return lockOf(file, wanted)
  file.release()
  failAtOnce(wanted)
  using _ = tellWait(wanted)
  const steps = contend(overtake ? { ...wanted, fair: false } : wanted)
  const waited = driveSync(steps, new Patience(wanted), (blocking) => {
    if (blocking === null) return
    withdrawOwn(blocking)
    refuseOwn(blocking, wanted)
  })
  return lockOf(waited, wanted)
}

/** Acquires, runs `action`, and releases, also when it throws. Rejects as {@link acquire} and `action` do. */
export async function withLock<Result>(
  path: string,
  options: AcquireOptions,
  action: (lock: Lock) => Result | Promise<Result>,
): Promise<Result> {
  const lock = await acquire(path, options)
  try {
    return await action(lock)
  } finally {
    lock.release()
  }
}

/** @internal Acquires the lock of a checked request. Throws if the request is already aborted, or cannot be tried. */
export function acquireLock(wanted: Request): Promise<Lock> {
  const { path, signal, timeout } = wanted
  signal?.throwIfAborted()
  if (timeout !== 0 && isQueued(path)) return waitForTurn(wanted, null)
  const file = attempt(wanted, timeout !== 0)
  if (file.mode === null) return waitForTurn(wanted, file)
  return Promise.resolve(lockOf(file, wanted))
}

/** Waits for the lock. `opened` is the file if a try has just opened it; this function then releases it. */
async function waitForTurn(wanted: Request, opened: LockFile | null): Promise<Lock> {
  let queue = binding(wanted.path).native
  const turn = new Turn(wanted.path)
  let file = opened
  try {
    failAtOnce(wanted)
    const patience = new Patience(wanted)
    using _ = tellWait(wanted)
    if (!turn.hasCome) await turn.comes(patience)
    while (queue !== null) {
      patience.check()
      file ??= attempt(wanted, true)
      if (file.mode !== null) break
      const error = await waitInKernel(queue, file, wanted, patience)
      if (error === 0) {
        file.mode = wanted.mode
        break
      }
      file.release()
      file = null
      if (!mayWaitAgain(error)) queue = null
    }
    patience.checkSignal()
    if (file === null || queue === null) {
      file?.release()
      file = null
      file = await drive(contend(wanted), patience)
    }
    const locked = file
    file = null
    return lockOf(locked, wanted)
  } finally {
    file?.release()
    turn.leave()
  }
}

function lockOf(file: LockFile, { fair }: Request): Lock {
  return new Lock(file, fair && !file.isDirectory)
}

function failAtOnce({ path, mode, timeout }: Request): void {
  if (timeout === 0) throw timedOut(path, mode, 0, quickHolder(path))
}

/** Takes waiters of this thread out of the kernel's queue, because they could not go on while the thread is blocked. */
function withdrawOwn({ dev, ino }: LockFile): void {
  for (const wait of threadState().waits) {
    if (wait.file.dev === dev && wait.file.ino === ino) wait.withdraw()
  }
}

/** Throws if the lock is held by this thread, which would wait for itself. */
function refuseOwn(blocking: LockFile, { path, mode }: Request): void {
  for (const { dev, ino, mode: heldMode } of threadState().held) {
    if (
      dev === blocking.dev &&
      ino === blocking.ino &&
      (mode === 'exclusive' || heldMode === 'exclusive')
    ) {
      throw deadlock(
        path,
        'this thread has it, and cannot release it while it waits synchronously',
        'release it first, or use acquire()',
      )
    }
  }
}
