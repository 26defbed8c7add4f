import type { LockFile } from '../lock-file.ts'

/** A waiter in this thread. Only the head of a queue waits in the kernel; `start` tells the waiter that it is the head. */
export interface Waiting {
  start(): void
}

/** A wait in the kernel's queue on behalf of this thread. */
export interface KernelWait {
  readonly file: Pick<LockFile, 'dev' | 'ino'>
  /**
   * Leaves the kernel's queue, and releases the lock if it was just acquired. The wait begins anew when the event loop runs.
   */
  withdraw(): void
  /** Called every half second. Gives whether the wait is known to take long. */
  look(): boolean
}

/** The state that all locks of a thread share. */
export interface ThreadState {
  /** The waiters, by the absolute path of the lock. */
  readonly queues: Map<string, Waiting[]>
  /** The locks that this thread holds. A synchronous wait for one of them would never end. */
  readonly held: Set<Pick<LockFile, 'dev' | 'ino' | 'mode'>>
  /**
   * The waits in the kernel. A synchronous wait withdraws them, because the kernel must not give the lock to this thread
   * while the thread is blocked.
   */
  readonly waits: Set<KernelWait>
}

const key = Symbol.for('@howdah/lock/1')

let state: ThreadState | undefined

/**
 * The state of this thread. It is kept on `globalThis`, so that copies of this package share it if the package is installed
 * twice.
 */
export function threadState(): ThreadState {
  if (state !== undefined) return state
  const place: typeof globalThis & { [key]?: ThreadState } = globalThis
  return (state = place[key] ??= { queues: new Map(), held: new Set(), waits: new Set() })
}
