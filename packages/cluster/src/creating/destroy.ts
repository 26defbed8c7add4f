import { rename, rm, rmdir } from 'node:fs/promises'
import { type Removal, takeBackAbandoned } from './abandoned.ts'
import { type DataDirectory, type Descriptor, unknownStatus } from '@howdah/data-directory'
import { discard } from './discard.ts'
import { isInTemporaryPlace } from './temporary-place.ts'
import { clearWreck, endCreation, markWreck } from './wreck.ts'

/**
 * Removes a stopped cluster: first the marker that tells a wreck, then `PG_VERSION`, the rest, and the directory. A mount
 * point, and what a symbolic link leads to, is only emptied. A temporary cluster is gone at once, and its files soon after. With
 * `keepAt` the directory is moved there instead. The caller holds the change lock, by which the directory is found, and the use lock exclusively.
 */
export async function destroyCluster(
  named: DataDirectory,
  change: Descriptor,
  removal?: Removal,
  keepAt?: string,
): Promise<void> {
  await takeBackAbandoned(named, removal)
  const directory = named.by(change)
  await requireCluster(directory)
  // Who waits for its locks sees that another directory, or none, is at the path.
  if (keepAt !== undefined) return await rename(named.path, keepAt)
  await markWreck(directory)
  await rm(directory.versionFile, { force: true })
  if (isInTemporaryPlace(directory.path)) {
    await endCreation(directory, removal)
    return await discard(directory.path)
  }
  await clearWreck(directory, removal)
  await rmdir(directory.path).catch((error: NodeJS.ErrnoException) => {
    if (!leftThere.has(error.code ?? '')) throw error
  })
}

/** EBUSY: a mount point. ENOTDIR: a link. EACCES, EPERM: not ours to remove. ENOTEMPTY: somebody uses it meanwhile. */
const leftThere: ReadonlySet<string> = new Set([
  'EBUSY',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ENOTEMPTY',
  'ENOENT',
])

/** What is locked may be something else than what was looked at by its path. */
async function requireCluster(directory: DataDirectory): Promise<void> {
  if (await directory.has(directory.versionFile)) return
  if (await directory.has(directory.wreck)) return
  throw unknownStatus(directory.path, 'it was replaced meanwhile; try again')
}
