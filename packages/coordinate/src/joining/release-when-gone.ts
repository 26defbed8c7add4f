import { fstatSync } from 'node:fs'
import type { Lock } from '@howdah/lock'
import type { Place } from '../place.ts'
import { identityOf } from '../record/record.ts'

/** How often to look, in ms. A look takes microseconds. */
const interval = 250

/**
 * Releases the use lock as soon as anybody has removed the subject and its use file. Then the watchdog gets the lock, sees
 * the same, and ends the server. A subject that was moved, or that has lost only the use file, is still in use.
 *
 * It does not keep this process alive, and ends with the lock.
 */
export function releaseWhenGone(place: Place, use: Lock): void {
  const subject = identityOrNone(place)
  const timer = setInterval(() => {
    if (use.held && !isGone(use, place, subject)) return
    clearInterval(timer)
    use.release()
  }, interval)
  timer.unref()
}

function isGone({ fd }: Lock, place: Place, subject: string | null): boolean {
  return fstatSync(fd).nlink === 0 && identityOrNone(place) !== subject
}

function identityOrNone(place: Place): string | null {
  try {
    return identityOf(place)
  } catch {
    return null
  }
}
