import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'
import { makeDirectories } from '@howdah/lock'
import {
  checkAccess,
  type DataDirectory,
  HeldDirectory,
  invalidPath,
  notPermitted,
  type ServerUser,
} from '@howdah/data-directory'

/**
 * Makes the empty data directory with its parents, if there is none yet, because the locks need it.
 *
 * Throws `ERR_CLUSTER_PERMISSION` if we may not make it, or if the server's user could not reach it.
 */
export async function prepareDirectory(
  directory: DataDirectory,
  user: ServerUser | null,
  within?: string,
): Promise<void> {
  try {
    await checkAccess(directory, user)
    makeDirectories(dirname(directory.path), undefined, within)
    makeUnlessThere(directory, user)
  } catch (error) {
    if (errno(error) === 'ENOENT' && within !== undefined && !existsSync(within))
      throw invalidPath(directory.path, `${within} was removed; use a directory that is there`)
    throw await explain(directory, error)
  }
}

/** Makes the directory closed to others from its first instant, because a user who can open it can hold its locks. */
function makeUnlessThere({ path }: DataDirectory, user: ServerUser | null): void {
  try {
    HeldDirectory.make(path, user)[Symbol.dispose]()
  } catch (error) {
    const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    if (errno(error) !== 'EEXIST' || !isThere) throw error
  }
}

async function explain(directory: DataDirectory, error: unknown): Promise<unknown> {
  const { code, path = directory.path } = error as NodeJS.ErrnoException
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return invalidPath(directory.path, 'it is a file, or below one; name a directory')
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `may not make ${path} for a cluster; use a data directory in a place that is yours`
    return notPermitted(directory.path, path, message, { cause: error })
  }
  return error
}
