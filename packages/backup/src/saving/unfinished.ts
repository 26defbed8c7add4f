import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { removeTree } from '@howdah/data-directory'
import { errno } from '@howdah/durable'
import { isUnfinished, unfinishedIn } from '@howdah/known-clusters'
import { acquire, type Lock, makeDirectories, tryAcquire } from '@howdah/lock'

/**
 * Makes a directory for a saved cluster and locks it until it is complete. The kernel frees the lock when this process ends,
 * so {@link clearUnfinished} knows what a killed process has left. `within` is never made.
 */
export async function makeItem(directory: string, within: string): Promise<Lock> {
  for (;;) {
    makeDirectories(directory, 0o755, within)
    try {
      const lock = await acquire(directory, { create: false, fair: false })
      if (existsSync(directory)) return lock
      lock.release()
    } catch (error) {
      if (errno(error) !== 'ERR_LOCK_NOT_FOUND') throw error
    }
    // Somebody has cleared it before it was locked.
  }
}

/** Locks a saved cluster, to remove it or to bring it back. `null` if another process has it locked, or has done so already. */
export async function lockSaved({ path }: { readonly path: string }): Promise<Lock | null> {
  const item = dirname(path)
  const lock = await tryAcquire(item, { create: false }).catch((error: unknown) => {
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return null
    throw error
  })
  if (lock === null || !isUnfinished(item)) return lock
  lock.release()
  return null
}

/** Removes what killed processes have left unfinished in a place of saved clusters, with its servers. */
export async function clearUnfinished(place: string): Promise<void> {
  for (const item of unfinishedIn(place)) {
    const lock = await tryAcquire(item, { create: false }).catch(() => null)
    if (lock === null) continue
    try {
      // Its maker may have finished it before it was locked.
      if (!isUnfinished(item)) continue
      await new Cluster(join(item, 'data')).destroy({ force: true })
      await removeTree(item)
    } catch {
      // A server may still be ending there. The next command tries again.
    } finally {
      lock.release()
    }
  }
}
