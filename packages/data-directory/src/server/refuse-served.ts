import type { DataDirectory } from '../data-directory.ts'
import { unknownStatus } from '../errors.ts'
import { findPostmaster } from './postmaster.ts'
import { serversIn } from './refuse-unseen.ts'

/**
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if a server runs in a directory that is no cluster any more, because its `PG_VERSION`
 * or all its files were removed. Also throws as `findPostmaster` does.
 *
 * A directory that was just made need not be searched.
 */
export async function refuseServed(directory: DataDirectory, isNew = false): Promise<void> {
  if (isNew) return
  const postmaster = await findPostmaster(directory)
  const pid = postmaster?.identity.pid ?? (await serversIn(directory))[0]
  if (pid === undefined) return
  throw unknownStatus(
    directory.path,
    `its PG_VERSION was removed while a server runs there (pid ${pid}); put that file back, it is a copy of base/1/PG_VERSION, or stop the server with: howdah stop --force`,
  )
}
