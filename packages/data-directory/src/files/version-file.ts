import { lstatSync } from 'node:fs'
import { readPlainFile } from '@howdah/lock'
import { PartialVersion } from '@howdah/runtime'
import type { DataDirectory } from '../data-directory.ts'
import { invalidPath, malformedVersion, notPermitted, unknownStatus } from '../errors.ts'
import { unreadable } from './unreadable.ts'

/**
 * The version of the cluster; `null` if there is no cluster: no `PG_VERSION`, or a wreck.
 *
 * Throws `ERR_CLUSTER_MALFORMED_VERSION`, and `ERR_CLUSTER_PERMISSION` if this user may not look into the directory.
 */
export async function readVersion(directory: DataDirectory): Promise<PartialVersion | null> {
  let content
  try {
    content = readPlainFile(directory.versionFile, { limit: 64 }).trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      await refuseDanglingLink(directory)
      return null
    }
    if (code === 'ENOTDIR') {
      throw unknownStatus(directory.path, 'it is a file, or below one; name a directory', {
        cause: error,
      })
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw notPermitted(
        directory.path,
        directory.versionFile,
        `may not look into ${directory.path}; run as its owner, or use another data directory`,
        { cause: error },
      )
    }
    throw unreadable(directory.path, directory.versionFile, error)
  }
  if (await directory.has(directory.wreck)) return null
  if (!/^(9\.\d|[1-9]\d)$/.test(content)) throw malformedVersion(directory.path, content)
  return PartialVersion.parse(content)
}

/** Throws if the path is a dangling link, because no cluster can be made there. */
async function refuseDanglingLink(directory: DataDirectory): Promise<void> {
  const found = lstatSync(directory.path, { throwIfNoEntry: false })
  if (found?.isSymbolicLink() === true && !(await directory.has(directory.path))) {
    throw invalidPath(directory.path, 'it is a link that leads nowhere')
  }
}
