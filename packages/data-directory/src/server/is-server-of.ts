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
 * Whether the process that a data directory's `postmaster.pid` names is the server of that very directory; `null` if it
 * cannot be told.
 *
 * It has to run PostgreSQL and to work there. If that may not be seen, the kernel's list of shared memory has another proof:
 * who made the segment that the file names.
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
  // A server runs as the owner of its data directory, or not at all.
  if (ownerOf(`/proc/${file.pid}`)?.uid !== ownerOf(directory.path)?.uid) return false
  return hasSegmentOf(directory, file)
}

/**
 * By the segment: it is attached, that process made it, and its key is this directory's. The key may be that of a directory
 * on another file system, too, of which the file came along with a copy: so the file has to name this directory.
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
