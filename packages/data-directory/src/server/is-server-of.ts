import type { DataDirectory } from '../data-directory.ts'
import type { PostmasterPid } from '../files/postmaster-pid.ts'
import { isPostgres } from '../processes/is-postgres.ts'
import { isKeyOf } from './key-of.ts'
import { leadsHere } from './leads-here.ts'
import { segments } from '../memory/segments.ts'
import { isSeenServerOf } from '../processes/seen-servers.ts'
import { workingIn } from '../processes/working-directory.ts'
import { ownerOf } from '../user/owner-of.ts'

/**
 * Whether the process in a data directory's `postmaster.pid` is the server of exactly that directory; `null` if this is
 * unknown.
 *
 * The process must run PostgreSQL and work in the directory. If this cannot be seen, the kernel's list of shared memory has
 * another proof: the creator of the segment that the file names.
 */
export async function isServerOf(
  directory: DataDirectory,
  file: PostmasterPid,
): Promise<boolean | null> {
  if (process.platform !== 'linux') return isSeenServerOf(directory.path, file.pid)
  if (!isPostgres(file.pid)) return false
  const { here, unknown } = await workingIn(directory.path, [file.pid])
  if (here.length > 0) return true
  if (unknown.length === 0) return false
  // PostgreSQL runs only as the owner of its data directory.
  if (ownerOf(`/proc/${file.pid}`)?.uid !== ownerOf(directory.path)?.uid) return false
  return hasSegmentOf(directory, file)
}

/**
 * Whether the segment proves it: a process is attached to it, that process made it, and its key belongs to this directory. A
 * directory on another file system may have the same key, and this directory may be a copy of that one. So the file must also
 * name this directory.
 */
function hasSegmentOf(
  directory: DataDirectory,
  { pid, dataDir, sharedMemory }: PostmasterPid,
): boolean | null {
  if (sharedMemory === null) return null
  const { id, key } = sharedMemory
  const segment = segments().find((one) => one.id === id && one.key === key)
  if (segment === undefined) return null
  if (segment.creator !== pid || segment.attached === 0) return false
  const isOwn = isKeyOf(directory, key)
  return isOwn === true && leadsHere(dataDir, directory) !== true ? null : isOwn
}
