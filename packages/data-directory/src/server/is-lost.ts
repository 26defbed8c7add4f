import type { DataDirectory } from '../data-directory.ts'
import { findPostmaster } from './postmaster.ts'

/**
 * Whether the files of a cluster do not say enough: there is a directory but no `PG_VERSION`, or the files leave it open
 * whether a server runs.
 */
export async function isLost(directory: DataDirectory): Promise<boolean> {
  if (!(await directory.has(directory.path))) return false
  if (!(await directory.has(directory.versionFile))) {
    return !(await directory.has(directory.wreck))
  }
  try {
    await findPostmaster(directory)
    return false
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return code === 'ERR_CLUSTER_UNKNOWN_STATUS' || code === 'ERR_COORDINATE_ELSEWHERE'
  }
}
