import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'

/** How often a refusal is asked again. */
const tries = 3

/**
 * Converts the shared use lock to exclusive, without waiting. `false`: others use it, and it is shared or lost.
 *
 * Under change nobody comes to use it, so that asking again harms nobody. It is needed because the lock looks for other
 * holders in proc_locks(5) first, and a list that changes while it is read may show the same lock twice.
 */
export function convertToExclusive(use: Lock): boolean {
  for (let attempt = 1; ; attempt++) {
    try {
      if (use.tryUpgrade()) return true
      if (attempt === tries) return false
    } catch (error) {
      // A watchdog came in between.
      if (errno(error) === 'ERR_LOCK_LOST') return false
      throw error
    }
  }
}
