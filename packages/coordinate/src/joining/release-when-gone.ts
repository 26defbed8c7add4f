import { fstatSync } from 'node:fs'
import type { Lock } from '@howdah/lock'
import type { Paths } from '../paths.ts'
import { isElsewhere } from '../record/is-moved.ts'
import { identityOf, readRecord } from '../record/record.ts'

/** How often to look, in ms. A look takes microseconds. */
const interval = 250

/**
 * Releases the use lock as soon as anybody has removed the subject and its use file. Then the watchdog gets the lock, sees
 * the same, and ends the server. A subject that has lost only the use file is still in use, and so is one that was moved,
 * unless its server is bound to its path.
 *
 * It does not keep this process alive, and ends with the lock.
 */
export function releaseWhenGone(paths: Paths, use: Lock): void {
  const subject = identityOrNone(paths)
  let boundTo = boundPathOf(paths)
  const isMovedAway = (id: string | null) => {
    if (boundTo === null || !isElsewhere(boundTo, id)) return false
    // Somebody may have restarted the server by another path.
    boundTo = boundPathOf(paths) ?? boundTo
    return isElsewhere(boundTo, id)
  }
  const timer = setInterval(() => {
    if (use.held && !isGone(use, paths, subject) && !isMovedAway(subject)) return
    clearInterval(timer)
    use.release()
  }, interval)
  timer.unref()
}

function isGone({ fd }: Lock, paths: Paths, subject: string | null): boolean {
  return fstatSync(fd).nlink === 0 && identityOrNone(paths) !== subject
}

function identityOrNone(paths: Paths): string | null {
  try {
    return identityOf(paths)
  } catch {
    return null
  }
}

function boundPathOf(paths: Paths): string | null {
  try {
    return readRecord(paths)?.boundTo ?? null
  } catch {
    return null
  }
}
