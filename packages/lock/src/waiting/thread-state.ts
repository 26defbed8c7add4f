import type { LockFile } from '../lock-file.ts'

/** One who waits in this thread. The head of a queue talks to the kernel; `start` makes it the head. */
export interface Waiting {
  start(): void
}

/** One who waits in the kernel's queue on behalf of this thread. */
export interface KernelWait {
  readonly file: Pick<LockFile, 'dev' | 'ino'>
  /** Leaves that queue and gives back what it may have got. The wait begins anew when the event loop runs. */
  withdraw(): void
  /** Is called every half second. Gives whether it knows now that the wait takes long. */
  look(): boolean
}

/** What the locks of one thread share. */
export interface ThreadState {
  /** Who waits, by real path. */
  readonly queues: Map<string, Waiting[]>
  /** What is held, so that a synchronous wait for ourselves is told from one that can end. */
  readonly held: Set<Pick<LockFile, 'dev' | 'ino' | 'mode'>>
  /** What a synchronous wait has to withdraw, or else the lock would be given to this thread while it cannot take it. */
  readonly waits: Set<KernelWait>
}

const key = Symbol.for('@howdah/lock/1')

let state: ThreadState | undefined

/**
 * The state of this thread: on `globalThis`, because only one waiter of a process should talk to the kernel even if
 * the package is installed twice.
 */
export function threadState(): ThreadState {
  if (state !== undefined) return state
  const place: typeof globalThis & { [key]?: ThreadState } = globalThis
  return (state = place[key] ??= { queues: new Map(), held: new Set(), waits: new Set() })
}
