import { errno } from '@howdah/durable'
import { tryAcquire } from '@howdah/lock'

/**
 * Whether somebody holds a lock on a file that excludes one of this mode. `false` if the file is missing.
 *
 * It tries to take such a lock. With `shared`, two processes that ask at the same time do not take each other for a holder.
 */
export async function isHeld(path: string, mode: 'shared' | 'exclusive'): Promise<boolean> {
  try {
    const lock = await tryAcquire(path, { mode, create: false })
    lock?.release()
    return lock === null
  } catch (error) {
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return false
    throw error
  }
}
