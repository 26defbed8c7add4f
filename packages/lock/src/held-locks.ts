import { LockFile } from './lock-file.ts'
import { threadState } from './waiting/thread-state.ts'

/** Warns about locks that were garbage collected while held, and releases them. */
const collected = new FinalizationRegistry<LockFile>((file) => {
  process.emitWarning(
    `the lock on ${file.path} was garbage collected without having been released; it is released now. ` +
      'Keep a reference to it, and use withLock, `using` or release().',
    { type: 'LockWarning', code: 'LOCK_COLLECTED' },
  )
  threadState().held.delete(file)
  file.release()
})

/** Locks that this thread takes at most so many ms after each other are a quick succession. */
const quick = 0.1

/**
 * The newest lock of a quick succession. It is not registered with {@link collected} yet, because registering takes longer
 * than locking, and most locks are released before the next one is taken and before the event loop goes on.
 */
const newest: { lock: object | null; file: LockFile | null; time: number } = {
  lock: null,
  file: null,
  time: 0,
}

let succession = false

/**
 * Whether this thread is in a quick succession of locks. The succession ends when the event loop goes on; then the descriptor
 * that was kept open for the next lock is closed.
 */
export function inSuccession(): boolean {
  return succession
}

/** Remembers a lock that is held now. If the lock is garbage collected, its file is released. */
export function noteHeld(lock: object, file: LockFile): void {
  threadState().held.add(file)
  watchNewest()
  const now = performance.now()
  if (now - newest.time < quick) {
    newest.lock = lock
    newest.file = file
    if (!succession) {
      succession = true
      setImmediate(endSuccession)
    }
  } else {
    collected.register(lock, file, file)
  }
  newest.time = now
}

/** Forgets a lock that is released or detached. */
export function noteGivenUp(file: LockFile): void {
  threadState().held.delete(file)
  if (newest.file === file) {
    newest.lock = null
    newest.file = null
  } else {
    collected.unregister(file)
  }
}

function endSuccession(): void {
  succession = false
  watchNewest()
  LockFile.tidy()
}

function watchNewest(): void {
  const { lock, file } = newest
  if (lock === null || file === null) return
  newest.lock = null
  newest.file = null
  collected.register(lock, file, file)
}
