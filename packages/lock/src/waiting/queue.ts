import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Patience } from './patience.ts'
import { threadState, type Waiting } from './thread-state.ts'

/** Whether a caller in this thread waits for exactly this path. */
export function isQueued(path: string): boolean {
  return threadState().queues.has(path)
}

/** Whether a caller in this thread waits for this path, or for another path that leads to the same file. */
export function isQueuedByAnyName(path: string): boolean {
  const { queues } = threadState()
  return queues.size > 0 && [...queues.keys()].some((other) => haveOneName(other, path))
}

function haveOneName(one: string, other: string): boolean {
  if (one === other) return true
  const names = namesOf(one)
  return namesOf(other).some((name) => names.includes(name))
}

/**
 * The names by which paths are compared: the real path of the parent directory with the file's name, since a link to a file
 * is not followed; and the real path itself, since a link to a directory is.
 */
function namesOf(path: string): string[] {
  return [
    () => join(realpathSync.native(dirname(path)), basename(path)),
    () => realpathSync.native(path),
  ].flatMap((name) => {
    try {
      return [name()]
    } catch {
      return []
    }
  })
}

/**
 * A place in this thread's queue for a path. Only the head of the queue waits in the kernel, so that many waiters of one
 * thread need one wait.
 */
export class Turn implements Waiting {
  readonly #path: string
  readonly #queue: Waiting[]
  #wake: (() => void) | undefined

  /** Takes the last place. */
  constructor(path: string) {
    const { queues } = threadState()
    const queue = queues.get(path) ?? []
    if (queue.length === 0) queues.set(path, queue)
    queue.push(this)
    this.#path = path
    this.#queue = queue
  }

  /** Whether this is the head of the queue. */
  get hasCome(): boolean {
    return this.#queue[0] === this
  }

  /** Waits to be the head of the queue. Rejects when the patience is over. */
  async comes(patience: Patience): Promise<void> {
    while (!this.hasCome) {
      patience.check()
      await patience.pause((wake) => {
        this.#wake = wake
      })
    }
  }

  /** Tells this waiter that it is the head now. */
  start(): void {
    this.#wake?.()
  }

  /** Leaves the queue, and makes the next waiter the head. It must be called. */
  leave(): void {
    const place = this.#queue.indexOf(this)
    this.#queue.splice(place, 1)
    if (this.#queue.length === 0) threadState().queues.delete(this.#path)
    else if (place === 0) this.#queue[0]?.start()
  }
}
