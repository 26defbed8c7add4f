import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Patience } from './patience.ts'
import { threadState, type Waiting } from './thread-state.ts'

/**
 * What a path is queued by: the real path of its parent directory and its name, or a directory's own real path.
 * The path itself where that cannot be told.
 */
function queueKey(path: string, isDirectory: boolean): string {
  try {
    return isDirectory
      ? realpathSync.native(path)
      : join(realpathSync.native(dirname(path)), basename(path))
  } catch {
    return path
  }
}

/** Whether somebody in this thread waits for the path. */
export function isQueued(path: string): boolean {
  const { queues } = threadState()
  return queues.size > 0 && (queues.has(queueKey(path, false)) || queues.has(queueKey(path, true)))
}

/**
 * Waits in this thread's queue for a path, until one is its head, and returns how to leave it. One waiter of a thread
 * talks to the kernel, however many there are.
 */
export async function takeTurn(
  path: string,
  isDirectory: boolean,
  patience: Patience,
): Promise<() => void> {
  const { queues } = threadState()
  const key = queueKey(path, isDirectory)
  const queue = queues.get(key) ?? []
  queues.set(key, queue)

  const waiting: Waiting = { start: () => {} }
  queue.push(waiting)
  const leave = (): void => {
    const place = queue.indexOf(waiting)
    if (place === -1) return
    queue.splice(place, 1)
    if (queue.length === 0) queues.delete(key)
    else if (place === 0) queue[0]?.start()
  }

  try {
    while (queue[0] !== waiting) {
      patience.check()
      await patience.pause((wake) => {
        waiting.start = wake
      })
    }
    return leave
  } catch (error) {
    leave()
    throw error
  }
}
