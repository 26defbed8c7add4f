import { rename, rm, rmdir } from 'node:fs/promises'
import {
  type DataDirectory,
  type Descriptor,
  type Removal,
  takeBackAbandoned,
  unknownStatus,
} from '@howdah/data-directory'
import { discard } from './discard.ts'
import { isInTemporaryPlace } from './temporary-place.ts'
import { clearWreck, endCreation, markWreck } from './wreck.ts'

/**
 * Removes a stopped cluster: sets the marker of a wreck, then removes `PG_VERSION`, the rest, and the directory. A mount
 * point, and the target of a symbolic link, are only emptied. A temporary cluster disappears at once, and its files are
 * removed soon after. With `moveTo` the directory is moved there instead. The caller holds the change lock, by which the
 * directory is reached, and the use lock exclusively.
 */
export async function destroyCluster(
  named: DataDirectory,
  change: Descriptor,
  removal?: Removal,
  moveTo?: string,
): Promise<void> {
  await takeBackAbandoned(named, removal)
  const directory = named.by(change)
  await requireCluster(directory)
  // Processes that wait for its locks will see that another directory, or none, is at the path.
  if (moveTo !== undefined) return await rename(named.path, moveTo)
  await markWreck(directory, { durable: !(await directory.has(directory.throwAway)) })
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

/**
 * Errors after which the empty directory stays. EBUSY: a mount point. ENOTDIR: a link. EACCES, EPERM: we may not remove it.
 * ENOTEMPTY: somebody uses it meanwhile.
 */
const leftThere: ReadonlySet<string> = new Set([
  'EBUSY',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ENOTEMPTY',
  'ENOENT',
])

/** Throws if the locked directory is not the cluster that was looked at by its path before. */
async function requireCluster(directory: DataDirectory): Promise<void> {
  if (await directory.has(directory.versionFile)) return
  if (await directory.has(directory.wreck)) return
  throw unknownStatus(directory.path, 'it was replaced meanwhile; try again')
}
