import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Patience } from './patience.ts'
import { threadState, type Waiting } from './thread-state.ts'

/** Whether somebody in this thread waits for this very path. */
export function isQueued(path: string): boolean {
  return threadState().queues.has(path)
}

/** Whether somebody in this thread waits for the path, or for another one that leads to the same file. */
export function isQueuedByAnyName(path: string): boolean {
  const { queues } = threadState()
  return queues.size > 0 && [...queues.keys()].some((other) => haveOneName(other, path))
}

function haveOneName(one: string, other: string): boolean {
  if (one === other) return true
  const names = namesOf(one)
  return namesOf(other).some((name) => names.includes(name))
}

/** As a file, a path is known by the real path of its parent directory and its name; as a directory, by its own real path. */
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
 * A place in this thread's queue for a path. Only the head of a queue waits for the kernel, however many wait in the thread.
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

  /** Whether it is the head. */
  get hasCome(): boolean {
    return this.#queue[0] === this
  }

  /** Waits to be the head. Rejects when the patience is over. */
  async comes(patience: Patience): Promise<void> {
    while (!this.hasCome) {
      patience.check()
      await patience.pause((wake) => {
        this.#wake = wake
      })
    }
  }

  /** Tells that it is the head now. */
  start(): void {
    this.#wake?.()
  }

  /** Leaves the queue, and lets the next one be the head. Must be called. */
  leave(): void {
    const place = this.#queue.indexOf(this)
    this.#queue.splice(place, 1)
    if (this.#queue.length === 0) threadState().queues.delete(this.#path)
    else if (place === 0) this.#queue[0]?.start()
  }
}
