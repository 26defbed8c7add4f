import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'

/** How many times to try. */
const tries = 3

/**
 * Converts the shared use lock to an exclusive one, without waiting. `false`: others use the subject, and the lock is still
 * shared, or lost.
 *
 * Further tries harm nobody, because nobody can join while change is held. They are needed because the lock first looks for
 * other holders in proc_locks(5), and a list that changes while it is read may show the same lock twice.
 */
export function convertToExclusive(use: Lock): boolean {
  for (let attempt = 1; ; attempt++) {
    try {
      if (use.tryUpgrade()) return true
      if (attempt === tries) return false
    } catch (error) {
      // A watchdog took the lock in between.
      if (errno(error) === 'ERR_LOCK_LOST') return false
      throw error
    }
  }
}
