import { readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import type { DataDirectory } from './data-directory.ts'

/**
 * Removes a stopped cluster: first the marker that tells a wreck, then `PG_VERSION`, the rest, and the directory. A mount
 * point is only emptied. The caller holds the change and use locks exclusively.
 */
export async function destroyCluster(directory: DataDirectory): Promise<void> {
  await writeFile(
    directory.wreck,
    'A cluster is being made or removed here; until that is done, there is none.\n',
  )
  await rm(directory.versionFile, { force: true })
  for (const name of await readdir(directory.path)) {
    if (directory.file(name) !== directory.wreck)
      await rm(directory.file(name), { recursive: true, force: true })
  }
  await rm(directory.wreck, { force: true })
  await rmdir(directory.path).catch((error: NodeJS.ErrnoException) => {
    // EBUSY: a mount point. ENOTEMPTY: somebody has put something there meanwhile, and it is theirs.
    if (error.code !== 'EBUSY' && error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
  })
}
