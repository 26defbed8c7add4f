import { rm, rmdir } from 'node:fs/promises'
import { type Removal, takeBackAbandoned } from './abandoned.ts'
import type { DataDirectory } from './data-directory.ts'
import { discard } from './discard.ts'
import { isInTemporaryPlace } from './temporary-place.ts'
import { clearWreck, markWreck } from './wreck.ts'

/**
 * Removes a stopped cluster: first the marker that tells a wreck, then `PG_VERSION`, the rest, and the directory. A mount
 * point is only emptied. A temporary cluster is gone at once, and its files soon after. The caller holds the change and use locks exclusively.
 */
export async function destroyCluster(directory: DataDirectory, removal?: Removal): Promise<void> {
  if (removal !== undefined) await takeBackAbandoned(directory, removal)
  await markWreck(directory)
  await rm(directory.versionFile, { force: true })
  if (isInTemporaryPlace(directory.path)) return await discard(directory.path)
  await clearWreck(directory, removal)
  await rmdir(directory.path).catch((error: NodeJS.ErrnoException) => {
    // EBUSY: a mount point. EACCES: not ours to remove. ENOTEMPTY: somebody has put something there meanwhile.
    if (!['EBUSY', 'EACCES', 'EPERM', 'ENOTEMPTY', 'ENOENT'].includes(error.code ?? '')) throw error
  })
}
